/** The life of the daemon process: start, signals, an orderly end in bounded time, and a clear last word when something is broken. */
import { type Clock, systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { SecretSources } from '../config/secret-source.ts';
import { type Log, openLog } from '../log.ts';
import { openService, type Service } from './compose.ts';
import { forbidCoreDumps } from './core-dumps.ts';
import { processTimer } from './sweeps.ts';
import { VirtualClock } from './virtual-clock.ts';

const drainMs = 10_000;
/** Draining, and closing every part; longer than the grace of a token host. */
const shutdownMsMax = 25_000;
const exitBroken = 1;
const exitInterrupted = 130;

export interface DaemonOptions {
  readonly secrets: SecretSources;
  readonly clockConfirmed: boolean;
  /** Called once, when the service answers at `url`. */
  readonly announce: (url: string) => void;
}

/**
 * Runs the daemon until SIGTERM or SIGINT and resolves once it has ended in order. A second signal, and an error that nobody
 * caught, end the process at once: token hosts notice and end too. Rejects when the service cannot start.
 */
export async function runDaemon(config: Config, options: DaemonOptions): Promise<void> {
  const log = openLog(config.log.level);
  endOnBrokenProcess(log);
  forbidCoreDumps(log);
  const signal = awaitSignal(log);
  const service = await openService(config, { clock: clockOf(config, log), log, startTimer: processTimer, ...options });
  options.announce(service.url);
  log.info({ url: service.url, signal: await signal }, 'ending: requests in flight are answered first');
  await closeInTime(service, log);
  log.info({}, 'ended');
}

function clockOf(config: Config, log: Log): Clock {
  if (config.clock === 'system') return systemClock;
  log.warn({}, 'clock: virtual lets every caller move the time, which rotates, expires and deletes keys');
  return new VirtualClock();
}

/** Resolves with the first signal to end; the second ends the process. */
function awaitSignal(log: Log): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first = true;
    const receive = (signal: NodeJS.Signals): void => {
      if (!first) {
        log.warn({ signal }, 'second signal: ending at once');
        process.exit(exitInterrupted);
      }
      first = false;
      resolve(signal);
    };
    process.on('SIGTERM', receive);
    process.on('SIGINT', receive);
  });
}

async function closeInTime(service: Service, log: Log): Promise<void> {
  const overdue = setTimeout(() => {
    log.error({ shutdownMsMax }, 'not everything could be closed in time: ending now');
    process.exit(exitBroken);
  }, shutdownMsMax);
  await service.close(drainMs);
  clearTimeout(overdue);
}

/** After an error that nobody caught no state can be trusted; what was acknowledged is on disk. */
function endOnBrokenProcess(log: Log): void {
  const end = (error: unknown): void => {
    log.error({ err: error }, 'internal error: the daemon ends; start it again and report this');
    process.exit(exitBroken);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
