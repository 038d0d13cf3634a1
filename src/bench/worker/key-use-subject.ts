/** Keys of other specs than SYMMETRIC_DEFAULT, used through the pipeline or straight from their key store. */
import type { Config } from '../../config/config.ts';
import type { KeyRecord } from '../../keys/key-record.ts';
import type { MeasuredOperation } from '../closed-loop.ts';
import type { Workload } from '../observation.ts';
import { apiInput, keyStoreCall, usages } from './key-use-inputs.ts';
import { KmsService } from './kms-service.ts';
import type { Subject } from './subject.ts';

/** Different inputs that a run goes through. */
const inputsMade = 16;

export type UsedAt = 'pipeline' | 'key store';

export class KeyUseSubject implements Subject {
  readonly role = 'service';
  readonly processes: Subject['processes'] = {};
  readonly service: KmsService;
  readonly #usedAt: UsedAt;
  readonly #keys = new Map<string, KeyRecord>();

  private constructor(service: KmsService, usedAt: UsedAt) {
    this.service = service;
    this.#usedAt = usedAt;
  }

  static async open(config: Config, usedAt: UsedAt): Promise<KeyUseSubject> {
    return new KeyUseSubject(await KmsService.open(config), usedAt);
  }

  async prepare(workload: Workload): Promise<MeasuredOperation> {
    const { key: choice, operation } = workload;
    if (choice === undefined) throw new RangeError('This worker uses keys of other specs than SYMMETRIC_DEFAULT');
    const key = await this.#keyOf(choice.spec, usages[operation] ?? '');
    if (this.#usedAt === 'key store') return keyStoreCall({ ...workload, key: choice }, key, this.service.keyStore);
    const inputs: object[] = [];
    while (inputs.length < inputsMade) inputs.push(await apiInput({ ...workload, key: choice }, key, (input) => this.#sign(input)));
    let next = 0;
    return () => this.service.perform(operation, inputs[next++ % inputs.length]);
  }

  async close(): Promise<void> {
    await this.service.destroyKeys();
    await this.service.close();
  }

  async #keyOf(spec: string, usage: string): Promise<KeyRecord> {
    const name = `${spec} ${usage}`;
    const key = this.#keys.get(name) ?? (await this.service.createKey({ KeySpec: spec, KeyUsage: usage }));
    this.#keys.set(name, key);
    return key;
  }

  async #sign(input: object): Promise<string> {
    const { Signature } = await this.service.perform('Sign', input);
    return Buffer.from(Signature as Uint8Array).toString('base64');
  }
}
