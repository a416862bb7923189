/** Certificates as a hospital's own authority would issue them, made by openssl for a test: an authority, who it vouches for, and a stranger. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export interface Issued {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** Files of the same. */
  readonly certFile: string;
  readonly keyFile: string;
}

export interface Certificates {
  readonly ca: Issued;
  /** Of `localhost`, by the authority. */
  readonly server: Issued;
  /** Of another host, by the same authority. */
  readonly elsewhere: Issued;
  /** A client's, by the same authority. */
  readonly client: Issued;
  /** An authority that nobody here knows. */
  readonly otherCa: Issued;
  remove(): Promise<void>;
}

const run = promisify(execFile);

export const issueCertificates = async (): Promise<Certificates> => {
  const folder = await mkdtemp(join(tmpdir(), "afferent-tls-"));
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: readonly string[]): Promise<unknown> => run("openssl", [...args], { cwd: folder });
  const issued = async (name: string): Promise<Issued> => {
    const [certFile, keyFile] = [file(`${name}.crt`), file(`${name}.key`)];
    return { certFile, keyFile, cert: await readFile(certFile, "utf8"), key: await readFile(keyFile, "utf8") };
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"] as const;
  const authority = async (name: string): Promise<Issued> => {
    const subject = ["-subj", `/CN=${name}`] as const;
    await openssl("req", "-x509", ...newKey, ...subject, "-days", "2", "-keyout", `${name}.key`, "-out", `${name}.crt`);
    return issued(name);
  };
  const vouched = async (name: string, host: string): Promise<Issued> => {
    await openssl("req", ...newKey, "-subj", `/CN=${host}`, "-keyout", `${name}.key`, "-out", `${name}.csr`);
    await writeFile(file(`${name}.ext`), `subjectAltName=DNS:${host}\n`);
    const by = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"] as const;
    await openssl("x509", "-req", "-in", `${name}.csr`, ...by, "-extfile", `${name}.ext`, "-out", `${name}.crt`);
    return issued(name);
  };
  const [ca, otherCa] = [await authority("ca"), await authority("other-ca")];
  return {
    ca,
    otherCa,
    server: await vouched("server", "localhost"),
    elsewhere: await vouched("elsewhere", "elsewhere.example"),
    client: await vouched("client", "afferent"),
    remove: () => rm(folder, { recursive: true }),
  };
};
