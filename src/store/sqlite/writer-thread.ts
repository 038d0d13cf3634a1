/** Entry of the thread that owns the database: answers calls one by one, so that no disk wait touches the event loop of the service. */
import { parentPort } from 'node:worker_threads';
import type { CallMessage, DatabaseCalls, ReplyMessage } from './database-calls.ts';
import { toDatabaseFailure } from './database-failure.ts';
import { SqliteDatabase } from './sqlite-database.ts';

const database: DatabaseCalls = new SqliteDatabase();

function answer({ method, argument }: CallMessage): ReplyMessage {
  try {
    return { value: (database[method] as (argument: unknown) => unknown)(argument) };
  } catch (error) {
    const { code, message } = toDatabaseFailure(error, 'of the store');
    return { failure: { code, message } };
  }
}

parentPort?.on('message', (call: CallMessage) => {
  parentPort?.postMessage(answer(call), []);
  if (call.method === 'close') parentPort?.close();
});
