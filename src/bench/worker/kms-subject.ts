/** The service as a function, without HTTP: `perform` on keys of its own, over the token and the store of a configuration. */
import type { Config } from '../../config/config.ts';
import type { MeasuredOperation } from '../closed-loop.ts';
import type { Workload } from '../observation.ts';
import { childPids } from '../process-usage.ts';
import { requestsOf } from './kms-requests.ts';
import { KmsService } from './kms-service.ts';
import type { Subject } from './subject.ts';

export class KmsSubject implements Subject {
  readonly role = 'service';
  readonly processes: Subject['processes'];
  readonly service: KmsService;
  #keyIds: readonly string[];

  private constructor(service: KmsService, keyIds: readonly string[]) {
    this.service = service;
    this.#keyIds = keyIds;
    const host = childPids(process.pid)[0];
    this.processes = host === undefined ? {} : { 'token host': host };
  }

  /** Opens the service. Without a key id, the keys are those that are there, or that `createKeys` makes. */
  static async open(config: Config, keyId?: string): Promise<KmsSubject> {
    const service = await KmsService.open(config);
    return new KmsSubject(service, keyId === undefined ? service.keyIds() : [keyId]);
  }

  /** Makes `count` keys, of which the last is used, and resolves to its id. */
  async createKeys(count: number): Promise<string> {
    const made: string[] = [];
    for (let number = 0; number < count; number++) made.push((await this.service.createKey()).keyId);
    this.#keyIds = [...this.#keyIds, ...made];
    return made.at(-1) ?? '';
  }

  async prepare(workload: Workload): Promise<MeasuredOperation> {
    const service = this.service;
    const keyIds = this.#keyIds;
    const inputs = await requestsOf(workload, {
      keyIds,
      perform: (operation, input) => service.perform(operation, input),
      endEpoch: () => service.forget(keyIds.at(-1) ?? ''),
    });
    let next = 0;
    return () => service.perform(workload.operation, inputs[next++ % inputs.length]);
  }

  close(): Promise<void> {
    return this.service.close();
  }
}
