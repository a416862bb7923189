import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.interceptor.RequestValidatingInterceptor;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import ca.uhn.fhir.validation.IInstanceValidatorModule;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/**
 * A FHIR R4 server: HAPI's JPA server on Jetty. Arguments: host, port, the H2 database's file.
 * Every write is validated against base R4 and the profiles that it claims; one that has an error is answered with 422.
 */
public final class FhirServer {
  public static void main(String[] arguments) throws Exception {
    String host = arguments[0];
    int port = Integer.parseInt(arguments[1]);
    System.setProperty("fhir.database", arguments[2]);

    var context = new AnnotationConfigApplicationContext(FhirServerConfig.class);

    Server jetty = new Server();
    ServerConnector connector = new ServerConnector(jetty);
    connector.setHost(host);
    connector.setPort(port);
    jetty.addConnector(connector);
    ServletContextHandler servlets = new ServletContextHandler("/");
    servlets.addServlet(new ServletHolder(restfulServer(context)), "/fhir/*");
    jetty.setHandler(servlets);
    loadDefinitions(context);
    jetty.setStopAtShutdown(true);
    Runtime.getRuntime().addShutdownHook(new Thread(context::close));
    jetty.start();
    jetty.join();
  }

  private static RestfulServer restfulServer(AnnotationConfigApplicationContext context) {
    RestfulServer server = new RestfulServer(context.getBean(FhirContext.class));
    server.registerProviders(context.getBean(ResourceProviderFactory.class).createProviders());
    server.registerProvider(context.getBean(JpaSystemProvider.class));
    server.setServerConformanceProvider(
        new JpaCapabilityStatementProvider(
            server,
            context.getBean(IFhirSystemDao.class),
            context.getBean(JpaStorageSettings.class),
            context.getBean(ISearchParamRegistry.class),
            context.getBean(IValidationSupport.class)));
    server.setPagingProvider(context.getBean(DatabaseBackedPagingProvider.class));
    server.setDefaultResponseEncoding(EncodingEnum.JSON);
    server.registerInterceptor(validation(context));
    return server;
  }

  /**
   * One validation before the first request: it loads R4's definitions. Left to the first writes, each of those that come together loads
   * its own copy: after a restart under load four writers filled the heap, and the server answered nothing more.
   */
  private static void loadDefinitions(AnnotationConfigApplicationContext context) {
    var validator = context.getBean(FhirContext.class).newValidator();
    validator.registerValidatorModule(context.getBean(IInstanceValidatorModule.class));
    validator.validateWithResult(
        """
        {"resourceType": "Observation", "status": "final",
          "meta": {"profile": ["http://hl7.org/fhir/StructureDefinition/heartrate"]},
          "category": [{"coding": [
            {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
          "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
          "subject": {"reference": "Patient/nobody"}, "effectiveDateTime": "2026-01-01T00:00:00Z",
          "valueQuantity": {"value": 60, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"}}
        """);
  }

  private static RequestValidatingInterceptor validation(AnnotationConfigApplicationContext context) {
    var interceptor = new RequestValidatingInterceptor();
    interceptor.addValidatorModule(context.getBean(IInstanceValidatorModule.class));
    interceptor.setFailOnSeverity(ResultSeverityEnum.ERROR);
    interceptor.setAddResponseHeaderOnSeverity(null);
    return interceptor;
  }
}
