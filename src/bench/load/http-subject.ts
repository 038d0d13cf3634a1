/** The service over HTTP, seen by a client: signed requests on keep-alive connections, one outstanding on each. */
import type { MeasuredOperation } from '../closed-loop.ts';
import type { Workload } from '../observation.ts';
import type { Subject } from '../worker/subject.ts';
import { HttpConnection, type HttpAnswer, type Target } from './http-connection.ts';
import { requestBodies } from './request-bodies.ts';
import { RequestSigner, type Signatory } from './request-signer.ts';

const HTTP_OK = 200;
/** Requests that are signed before a run. A run that needs more sends them again; the server keeps no memory of signatures. */
const SIGNED_REQUESTS_MAX = 10_000;
const SIGNED_BYTES_MAX = 24 * 1024 * 1024;

export interface HttpSubjectOptions {
  readonly target: Target;
  readonly signatory: Signatory;
  readonly keyId: string;
  /** The processes that serve. */
  readonly processes: Subject['processes'];
}

export class HttpSubject implements Subject {
  readonly role = 'load generator';
  readonly processes: Subject['processes'];
  readonly #options: HttpSubjectOptions;
  readonly #signer: RequestSigner;
  #connections: HttpConnection[] = [];

  constructor(options: HttpSubjectOptions) {
    this.#options = options;
    this.processes = options.processes;
    this.#signer = new RequestSigner(options.signatory, `${options.target.host}:${options.target.port}`);
  }

  async prepare(workload: Workload, outstanding: number): Promise<MeasuredOperation> {
    await this.#connect(outstanding);
    const requests = await this.#signedRequests(workload);
    const idle = this.#connections.slice(0, outstanding);
    let next = 0;
    return async () => {
      const connection = idle.pop()!;
      const answer = await connection.exchange(requests[next++ % requests.length]!);
      if (answer.status !== HTTP_OK) throw refused(answer);
      idle.push(connection);
    };
  }

  close(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    return Promise.resolve();
  }

  async #connect(count: number): Promise<void> {
    this.#connections = this.#connections.filter((connection) => connection.isOpen);
    while (this.#connections.length < count) this.#connections.push(await HttpConnection.open(this.#options.target));
  }

  async #signedRequests(workload: Workload): Promise<readonly Buffer[]> {
    const nextBody = await requestBodies(workload, this.#options.keyId, (plaintext) => this.#encrypt(plaintext));
    const requests: Buffer[] = [];
    for (let bytes = 0; requests.length < SIGNED_REQUESTS_MAX && bytes < SIGNED_BYTES_MAX;) {
      const request = this.#signer.sign(workload.operation, JSON.stringify(nextBody()), Date.now());
      bytes += request.length;
      requests.push(request);
    }
    return requests;
  }

  async #encrypt(plaintext: string): Promise<string> {
    const body = JSON.stringify({ KeyId: this.#options.keyId, Plaintext: plaintext });
    const answer = await this.#connections[0]!.exchange(this.#signer.sign('Encrypt', body, Date.now()));
    if (answer.status !== HTTP_OK) throw refused(answer);
    return (JSON.parse(answer.body.toString('utf8')) as { CiphertextBlob: string }).CiphertextBlob;
  }
}

function refused(answer: HttpAnswer): Error {
  return new Error(`The service answered ${answer.status}: ${answer.body.toString('utf8').slice(0, 500)}`);
}
