/** What was opened, to be closed in reverse order, once. */
import type { Log } from '../log.ts';

type Close = () => Promise<void> | void;

/** Steps of an orderly end. A step that fails is logged and does not keep the others from running. */
export class CloseStack {
  readonly #steps: { readonly name: string; readonly close: Close }[] = [];
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  push(name: string, close: Close): void {
    this.#steps.push({ name, close });
  }

  /** Runs the steps, last first. Never rejects. */
  async close(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.close();
      } catch (error) {
        this.#log.error({ err: error, part: step.name }, 'could not be closed in order');
      }
    }
  }
}
