/**
 * Loaded into the daemon before its own code (`node --import`): measures the delay of its event loop when the benchmark asks, and ends
 * the daemon when the benchmark is gone. The daemon itself knows nothing of it.
 */
import { EventLoopDelay } from './event-loop.ts';

/** What the benchmark says. */
export type ProbeRequest = 'start' | 'stop';
/** The answer to `stop`. */
export interface ProbeReply {
  readonly loopDelayP99Ms: number;
}

const delay = new EventLoopDelay();

process.on('message', (request: ProbeRequest) => {
  if (request === 'start') delay.start();
  else process.send?.({ loopDelayP99Ms: delay.stop() } satisfies ProbeReply);
});
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// The channel does not keep the daemon alive.
process.channel?.unref();
