import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import ca.uhn.fhir.validation.ValidationOptions;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

/**
 * Reads lines {"profiles": [url], "resource": {...}} and answers each with a line [{"severity", "location", "message"}]:
 * what HAPI's validator finds against base R4, the profiles that the resource claims, and those of its line.
 */
public final class Validate {
  private static final ObjectMapper json = new ObjectMapper();

  public static void main(String[] arguments) throws Exception {
    FhirValidator validator = validator(FhirContext.forR4());
    var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonNode task = json.readTree(line);
      var options = new ValidationOptions();
      task.get("profiles").forEach(profile -> options.addProfile(profile.asText()));
      out.println(issues(validator, task.get("resource").toString(), options));
    }
  }

  private static FhirValidator validator(FhirContext context) {
    var support =
        new ValidationSupportChain(
            new DefaultProfileValidationSupport(context),
            new CommonCodeSystemsTerminologyService(context),
            new InMemoryTerminologyServerValidationSupport(context),
            new SnapshotGeneratingValidationSupport(context));
    return context.newValidator().registerValidatorModule(new FhirInstanceValidator(support));
  }

  private static ArrayNode issues(FhirValidator validator, String resource, ValidationOptions options) {
    ArrayNode issues = json.createArrayNode();
    for (SingleValidationMessage found : validator.validateWithResult(resource, options).getMessages()) {
      ResultSeverityEnum severity = found.getSeverity();
      issues
          .addObject()
          .put("severity", severity == null ? "error" : severity.getCode())
          .put("location", found.getLocationString())
          .put("message", found.getMessage());
    }
    return issues;
  }
}
