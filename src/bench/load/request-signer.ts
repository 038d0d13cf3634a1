/**
 * Requests as an AWS SDK sends them: AWS JSON 1.1, signed with Signature Version 4, each with an invocation id of its own, so
 * that no two are the same. Source: IAM User Guide, "Create a signed AWS API request".
 */
import { hash, randomUUID } from 'node:crypto';
import type { SecretBytes } from '../../secret-bytes.ts';
import type { HmacSha256 } from '../../wire/sigv4/hmac-sha256.ts';
import { toBasic } from '../../wire/sigv4/request-time.ts';
import { deriveSigningKey } from '../../wire/sigv4/signing-keys.ts';
import { canonicalRequest, stringToSign } from '../../wire/sigv4/string-to-sign.ts';

const SERVICE = 'kms';
const CONTENT_TYPE = 'application/x-amz-json-1.1';
const SIGNED_HEADERS = ['amz-sdk-invocation-id', 'content-type', 'host', 'x-amz-content-sha256', 'x-amz-date', 'x-amz-target'] as const;

export interface Signatory {
  readonly accessKeyId: string;
  readonly secret: SecretBytes;
  readonly region: string;
}

export class RequestSigner {
  readonly #signatory: Signatory;
  readonly #host: string;
  #day = '';
  #key: HmacSha256 | undefined;

  /** `host` is the value of the Host header. */
  constructor(signatory: Signatory, host: string) {
    this.#signatory = signatory;
    this.#host = host;
  }

  /** The bytes of a signed POST of `body` to the operation, signed for `nowMs`. */
  sign(operation: string, body: string, nowMs: number): Buffer {
    const basicTime = toBasic(nowMs);
    const day = basicTime.slice(0, 8);
    const scope = { day, region: this.#signatory.region, service: SERVICE };
    const bodyHash = hash('sha256', body, 'hex');
    const values = [randomUUID(), CONTENT_TYPE, this.#host, bodyHash, basicTime, `TrentService.${operation}`];
    const headers = new Map(SIGNED_HEADERS.map((name, index) => [name, values[index]!]));
    const canonical = canonicalRequest({ method: 'POST', path: '/', query: '', headers }, SIGNED_HEADERS, bodyHash);
    const signature = this.#signingKey(day)
      .mac(stringToSign(canonical, basicTime, scope))
      .toString('hex');
    const credential = `${this.#signatory.accessKeyId}/${day}/${scope.region}/${SERVICE}/aws4_request`;
    let head = 'POST / HTTP/1.1\r\n';
    for (const [name, value] of headers) head += `${name}: ${value}\r\n`;
    head += `authorization: AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${SIGNED_HEADERS.join(';')}, Signature=${signature}\r\n`;
    return Buffer.from(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`, 'utf8');
  }

  #signingKey(day: string): HmacSha256 {
    if (this.#key === undefined || this.#day !== day) {
      const { secret, region } = this.#signatory;
      this.#key?.wipe();
      this.#key = secret.expose((bytes) => deriveSigningKey(bytes, { day, region, service: SERVICE }));
      this.#day = day;
    }
    return this.#key;
  }
}
