/** The seam between the wire and the ways of knowing a caller: signature (`sigv4/`) or good faith (`emulator-authenticator.ts`). */
import type { Caller } from '../kms.ts';
import { partitionOf } from '../keys/partition.ts';
import type { RequestHead } from './request-head.ts';

/** What the transport knows of a connection. */
export interface ConnectionFacts {
  readonly sourceAddress: string | undefined;
  /** True over TLS. */
  readonly secureTransport: boolean;
}

/** A request as it is judged: complete, but nothing of its body interpreted. */
export interface UnverifiedRequest {
  readonly head: RequestHead;
  readonly body: Uint8Array;
  readonly connection: ConnectionFacts;
  /** UUID under which the reply and the log name this request. */
  readonly requestId: string;
}

/** Decides who sent a request. */
export interface Authenticator {
  /** True when it must only be reached from this machine. */
  readonly loopbackOnly: boolean;
  /** The caller. Throws KmsError when the request proves none. */
  authenticate(request: UnverifiedRequest): Caller;
}

/** A Caller from an identity, the Region it asked for, and the request it came with. */
export function callerOf(
  request: UnverifiedRequest,
  identity: { readonly principalArn: string; readonly accessKeyId: string; readonly account: string },
  region: string,
): Caller {
  return {
    principalArn: identity.principalArn,
    accessKeyId: identity.accessKeyId,
    partition: partitionOf(region),
    account: identity.account,
    region,
    sourceAddress: request.connection.sourceAddress,
    userAgent: request.head.headers.get('user-agent'),
    secureTransport: request.connection.secureTransport,
    requestId: request.requestId,
  };
}
