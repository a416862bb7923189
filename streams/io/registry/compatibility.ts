/** BACKWARD_TRANSITIVE, checked here where no registry server does it: the new schema must read what every older one wrote. */
import avro from "avsc";
import { OperatingError } from "../../core/failure.ts";

const typeOf = (schema: object): avro.Type => avro.Type.forSchema(schema as avro.Schema, { wrapUnions: "always" });

/** What keeps `reader` from reading the bytes of `writer`, in words; null where it can. */
export const whyUnreadable = (reader: object, writer: object): string | null => {
  try {
    typeOf(reader).createResolver(typeOf(writer));
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

/** Throws `schema-incompatible`, naming the subject, the first version (from 1) that the schema can't read, and why. */
export const demandReadsAll = (subject: string, schema: object, older: readonly object[]): void => {
  older.forEach((writer, index) => {
    const why = whyUnreadable(schema, writer);
    if (why !== null)
      throw new OperatingError(
        "schema-incompatible",
        `Registering a schema for ${subject}: it can't read version ${index + 1}: ${why}`,
        { retry: false },
      );
  });
};
