/**
 * A worker process of the benchmark: opens one subject and measures it when told. Each subject has a process of its own, because a
 * PKCS#11 library has one state per process, and so that memory and CPU time can be told apart.
 */
import { readCredentialsFile } from '../../config/credentials-file.ts';
import { readConfigFile } from '../../config/load-config.ts';
import { HttpSubject } from '../load/http-subject.ts';
import { childPids } from '../process-usage.ts';
import { DoorSubject } from './door-subject.ts';
import { KeyUseSubject } from './key-use-subject.ts';
import { KmsSubject } from './kms-subject.ts';
import { Measurement } from './measurement.ts';
import { NodeCryptoSubject } from './node-crypto-subject.ts';
import type { SubjectDescription, WorkerReply, WorkerRequest } from './messages.ts';
import type { Subject } from './subject.ts';

let subject: Subject | undefined;
let prepared: Measurement | undefined;

async function open(description: SubjectDescription): Promise<Subject> {
  if (description.kind === 'kms') return KmsSubject.open(readConfigFile(description.configFile), description.keyId);
  if (description.kind === 'key-use') return KeyUseSubject.open(readConfigFile(description.configFile), description.usedAt);
  if (description.kind === 'node-crypto') return new NodeCryptoSubject();
  if (description.kind === 'door') {
    const token = readConfigFile(description.configFile).tokens[0];
    if (token === undefined) throw new Error(`${description.configFile} names no token`);
    return DoorSubject.open(token, description.keyLife);
  }
  const { target, keyId, region, accessKeyId, credentialsFile, servicePid } = description;
  const credential = readCredentialsFile(credentialsFile).find(accessKeyId);
  if (credential === undefined) throw new Error(`${credentialsFile} has no access key ${accessKeyId}`);
  return new HttpSubject({
    target,
    keyId,
    signatory: { accessKeyId, secret: credential.secret, region },
    processes: serviceProcesses(servicePid),
  });
}

function serviceProcesses(servicePid: number): Subject['processes'] {
  const host = childPids(servicePid)[0];
  return host === undefined ? { service: servicePid } : { service: servicePid, 'token host': host };
}

async function perform(request: WorkerRequest): Promise<WorkerReply> {
  if (request.kind === 'measure') return { observation: await preparedMeasurement().run(request.durationMs) };
  if (request.kind === 'create-keys') return { keyId: await openKmsSubject().createKeys(request.count) };
  if (request.kind === 'fill-keys') await openKmsSubject().service.fillKeys(request.count);
  if (request.kind === 'open') return opened(await open(request.subject));
  if (request.kind === 'prepare') prepared = await Measurement.prepare(openSubject(), request.workload, request.outstanding);
  if (request.kind === 'destroy-keys') await openKmsSubject().service.destroyKeys();
  if (request.kind === 'close') await openSubject().close();
  return {};
}

function opened(what: Subject): WorkerReply {
  subject = what;
  return what instanceof KeyUseSubject ? { keySpecs: what.service.keyStore.describe().keySpecs ?? [] } : {};
}

function openSubject(): Subject {
  if (subject === undefined) throw new Error('This worker has opened nothing');
  return subject;
}

function preparedMeasurement(): Measurement {
  if (prepared === undefined) throw new Error('This worker has prepared nothing');
  return prepared;
}

function openKmsSubject(): KmsSubject {
  if (subject instanceof KmsSubject) return subject;
  throw new Error('This worker has no key store');
}

async function answer(request: WorkerRequest): Promise<void> {
  let reply: WorkerReply;
  try {
    reply = await perform(request);
  } catch (error) {
    reply = { error: error instanceof Error ? error.message : String(error) };
  }
  process.send?.(reply);
}

process.on('message', (request) => void answer(request as WorkerRequest));
// The benchmark is gone: nobody will ask again.
process.on('disconnect', () => process.exit());
