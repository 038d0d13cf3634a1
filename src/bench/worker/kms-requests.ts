/** The inputs that the pipeline is measured with, made beforehand: what a client does to make a request is no part of the service. */
import { PAGE_ITEMS, type RequestBody, requestBodies } from '../load/request-bodies.ts';
import type { Workload } from '../observation.ts';

/** The service that is asked. */
export interface AskedService {
  perform(operation: string, input: unknown): Promise<Readonly<Record<string, unknown>>>;
  /** Keys that may be used; the last one is the hot one. */
  readonly keyIds: readonly string[];
  /** Ends the epoch that the hot key encrypts under. */
  endEpoch(): Promise<void>;
}

/** Different bodies that a run goes through. */
const bodiesOfOneKey = 1024;
/** More than the epoch keys that one material may keep (`epochKeysMaxOfScale` / 4). */
const epochs = 64;
const pagesMax = 32;

/** The inputs of a workload, to be gone through again and again. */
export async function requestsOf(workload: Workload, service: AskedService): Promise<readonly object[]> {
  const { operation, access } = workload;
  const keyId = service.keyIds.at(-1) ?? '';
  if (operation === 'DescribeKey') return [{ KeyId: keyId }];
  if (operation === 'ListKeys' || operation === 'ListAliases') return pages(operation, service);
  if (access === 'cold') return Promise.all(service.keyIds.map((id) => oneBody(workload, id, service)));
  if (access === 'epochs') return bodiesOfEpochs(workload, keyId, service);
  const nextBody = await requestBodies(workload, keyId, (plaintext) => encrypted(keyId, plaintext, service));
  return Array.from({ length: bodiesOfOneKey }, nextBody);
}

async function oneBody(workload: Workload, keyId: string, service: AskedService): Promise<RequestBody> {
  const nextBody = await requestBodies(workload, keyId, (plaintext) => encrypted(keyId, plaintext, service), 1);
  return nextBody();
}

async function bodiesOfEpochs(workload: Workload, keyId: string, service: AskedService): Promise<readonly RequestBody[]> {
  const bodies: RequestBody[] = [];
  while (bodies.length < epochs) {
    bodies.push(await oneBody(workload, keyId, service));
    await service.endEpoch();
  }
  return bodies;
}

/** Pages from inside a listing: each begins after a marker and is not the last, whatever the number of keys. */
async function pages(operation: string, service: AskedService): Promise<readonly object[]> {
  const bodies: object[] = [];
  let body: object = { Limit: PAGE_ITEMS };
  for (;;) {
    const { NextMarker } = await service.perform(operation, body);
    if (NextMarker === undefined || bodies.length === pagesMax) return bodies.slice(0, -1);
    body = { Limit: PAGE_ITEMS, Marker: NextMarker };
    bodies.push(body);
  }
}

async function encrypted(keyId: string, plaintext: string, service: AskedService): Promise<string> {
  const { CiphertextBlob } = await service.perform('Encrypt', { KeyId: keyId, Plaintext: plaintext });
  return Buffer.from(CiphertextBlob as Uint8Array).toString('base64');
}
