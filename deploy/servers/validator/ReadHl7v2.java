import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HL7Exception;
import ca.uhn.hl7v2.HapiContext;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.model.v26.message.ORU_R01;
import ca.uhn.hl7v2.parser.DefaultModelClassFactory;
import ca.uhn.hl7v2.parser.PipeParser;
import ca.uhn.hl7v2.parser.UnexpectedSegmentBehaviourEnum;
import ca.uhn.hl7v2.protocol.ReceivingApplication;
import ca.uhn.hl7v2.util.Terser;
import ca.uhn.hl7v2.validation.impl.ValidationContextFactory;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * HAPI's HL7 v2 parser. Without arguments it reads lines {"message", "paths": [Terser path]} and answers each with {"error"} or {"values":
 * [text]}. With a port it takes messages over MLLP there, prints each as a line {"message"} or {"error"}, and acknowledges it: AA, or what
 * HAPI makes of a broken one. The standard's own v2.6 has no ORU_R40: IHE PCD gives it the structure of ORU_R01, as which it is read.
 */
public final class ReadHl7v2 {
  private static final ObjectMapper json = new ObjectMapper();
  private static final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  public static void main(String[] arguments) throws Exception {
    HapiContext context = strict();
    if (arguments.length > 0) serve(context, Integer.parseInt(arguments[0]));
    else read(context.getPipeParser());
  }

  /** Types of primitive fields are checked, and a segment where the structure has none is an error. */
  private static HapiContext strict() {
    var context = new DefaultHapiContext(ValidationContextFactory.defaultValidation());
    context.setModelClassFactory(
        new DefaultModelClassFactory() {
          @Override
          public Class<? extends Message> getMessageClass(String name, String version, boolean isExplicit)
              throws HL7Exception {
            return name.equals("ORU_R40") ? ORU_R01.class : super.getMessageClass(name, version, isExplicit);
          }
        });
    context.getParserConfiguration().setUnexpectedSegmentBehaviour(UnexpectedSegmentBehaviourEnum.THROW_HL7_EXCEPTION);
    return context;
  }

  private static void read(PipeParser parser) throws Exception {
    var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      var task = json.readTree(line);
      ObjectNode answer = json.createObjectNode();
      try {
        Terser terser = new Terser(parser.parse(task.get("message").asText()));
        var values = answer.putArray("values");
        for (var path : task.get("paths")) values.add(terser.get(path.asText()));
      } catch (Exception error) {
        answer.removeAll();
        answer.put("error", String.valueOf(error.getMessage()));
      }
      out.println(answer);
    }
  }

  private static void serve(HapiContext context, int port) throws Exception {
    var server = context.newServer(port, false);
    server.registerApplication(
        "ORU",
        "*",
        new ReceivingApplication<Message>() {
          public boolean canProcess(Message message) {
            return true;
          }

          public Message processMessage(Message message, Map<String, Object> about) throws HL7Exception {
            try {
              out.println(json.createObjectNode().put("message", message.encode()));
              return message.generateACK();
            } catch (IOException error) {
              throw new HL7Exception(error);
            }
          }
        });
    // what can't be parsed never gets to the application
    server.setExceptionHandler(
        (incoming, about, outgoing, error) -> {
          out.println(json.createObjectNode().put("error", String.valueOf(error.getMessage())));
          return outgoing;
        });
    server.startAndWait();
    out.println("listening");
  }
}
