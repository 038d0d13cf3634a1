/**
 * Callers taken at their word, for tests against a daemon on this machine: any credential is accepted and no signature is
 * verified. What a web page could make a browser send is refused, because a browser runs on this machine too.
 */
import { KmsError } from '../errors.ts';
import { isRegionName, partitionOf } from '../keys/partition.ts';
import type { Caller } from '../kms.ts';
import { type Authenticator, type UnverifiedRequest, callerOf } from './authenticator.ts';
import { isAmzJson } from './aws-json.ts';
import { parseAuthorization } from './sigv4/authorization-header.ts';

const DEFAULT_ACCOUNT = '000000000000';
const ACCOUNT_ID = /^\d{12}$/;
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/**
 * An authenticator that accepts any credential. The account is the access key id where that is 12 digits, else 000000000000; the
 * Region is that of the credential scope, and must be one of `regions` if they are given.
 */
export function emulatorAuthenticator(regions?: ReadonlySet<string>): Authenticator {
  return { loopbackOnly: true, authenticate: (request) => authenticate(request, regions) };
}

function authenticate(request: UnverifiedRequest, regions: ReadonlySet<string> | undefined): Caller {
  refuseBrowsers(request.head.headers);
  const { accessKeyId, region } = parseAuthorization(request.head.headers.get('authorization'), true);
  if (regions === undefined ? !isRegionName(region) : !regions.has(region)) {
    throw new KmsError('InvalidSignatureException', 'Credential should be scoped to a valid region.');
  }
  const account = ACCOUNT_ID.test(accessKeyId) ? accessKeyId : DEFAULT_ACCOUNT;
  return callerOf(request, { principalArn: `arn:${partitionOf(region)}:iam::${account}:root`, accessKeyId, account }, region);
}

/**
 * Pages of other sites reach this port through cross-origin requests (they carry Origin or Sec-Fetch-*, and cannot set this
 * content type without asking first) or through DNS rebinding (the Host is then their own name).
 */
function refuseBrowsers(headers: ReadonlyMap<string, string>): void {
  for (const name of headers.keys()) {
    if (name === 'origin' || name.startsWith('sec-fetch-')) throw refused('requests from web pages are refused');
  }
  if (!LOOPBACK_HOST.test(headers.get('host') ?? ''))
    throw refused('the Host header must name this machine: localhost, 127.0.0.1 or [::1]');
  if (!isAmzJson(headers.get('content-type'))) throw refused('the Content-Type must be application/x-amz-json-1.1');
}

function refused(reason: string): KmsError {
  return new KmsError('AccessDeniedException', `This endpoint runs with auth: emulator, and ${reason}.`);
}
