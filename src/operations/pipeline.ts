/**
 * The one path of every request: shape, rules between members, recipient, keys, authorisation, grant tokens, state, usage, the
 * operation's own checks, dry run, the act (order of kms-api.md 2.5). Operations are data to it; it knows none by name.
 */
import { keyLastUsageOperation } from '../api/enumerations.ts';
import { apiOperations } from '../api/model.ts';
import { inputDecoder } from '../api/decode-input.ts';
import { KmsError } from '../errors.ts';
import { keyArn } from '../keys/arn.ts';
import { assertPermittedByManager } from '../keys/aws-managed-keys.ts';
import { keyStateCheck } from '../keys/key-states.ts';
import { ciphertextKeyDenied, isAuthorised } from './authorise.ts';
import { withBackingFailure } from './custom-key-stores/backing-failure.ts';
import { grantOfToken } from './grants/grant-tokens.ts';
import { keyNow } from './key-change.ts';
import { isReservedName, makeIfMissing } from './make-aws-managed-key.ts';
import { attestedRecipient, namesRecipient, sealedForRecipient } from './recipient.ts';
import { resolveKey } from './resolve-key.ts';
import { isServiceFailure, toKmsError } from './service-failure.ts';
import type { InputDecoder } from '../api/decode-input.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { Caller, Operation, OperationContext, OperationInput, OperationOutput, ResolvedKey, ServiceParts } from './operation.ts';

/** What is worked out once per operation, so that a request pays for lookups only. */
interface CompiledOperation {
  readonly operation: Operation;
  readonly decode: InputDecoder;
  /** Input members that may name a key by an alias. */
  readonly aliasMembers: readonly string[];
  readonly checkState: ((key: KeyRecord) => void) | undefined;
  readonly hasDryRun: boolean;
  readonly hasGrantTokens: boolean;
  /** Whether GetKeyLastUsage tells of it. */
  readonly isUse: boolean;
}

type Keys = Record<string, ResolvedKey>;

/** Performs operations by name; see `Kms.perform`. */
export class Pipeline {
  readonly #parts: ServiceParts;
  readonly #operations: ReadonlyMap<string, CompiledOperation>;

  /** Throws RangeError for an operation that the API, or the key-state table, does not have or describes otherwise. */
  constructor(parts: ServiceParts, operations: readonly Operation[]) {
    this.#parts = parts;
    this.#operations = new Map(operations.map((operation) => [operation.name, compile(operation)]));
  }

  has(name: string): boolean {
    return this.#operations.has(name);
  }

  async perform(name: string, json: unknown, caller: Caller, signal?: AbortSignal): Promise<OperationOutput> {
    try {
      const compiled = this.#operations.get(name);
      if (compiled === undefined) throw new KmsError('UnknownOperationException');
      return await this.#run(compiled, json, caller, signal);
    } catch (error) {
      throw this.#reported(toKmsError(error), name, caller);
    }
  }

  async #run(compiled: CompiledOperation, json: unknown, caller: Caller, signal: AbortSignal | undefined): Promise<OperationOutput> {
    const { operation } = compiled;
    const input = compiled.decode(json);
    operation.validate?.(input);
    const keys: Keys = {};
    const scope = { partition: caller.partition, account: caller.account, region: caller.region };
    // Before authorisation, because policies compare what it proves.
    const attestation = namesRecipient(operation, input) ? await attestedRecipient(input, this.#parts) : undefined;
    const context: OperationContext = { parts: this.#parts, caller, scope, keys, signal, attestation };
    for (const member of compiled.aliasMembers) {
      const text = input[member] as string | undefined;
      if (text !== undefined && isReservedName(text)) await makeIfMissing(text, context);
    }
    addCheckedKeys(keys, compiled, input, context);
    operation.check?.(input, context);
    const isDry = compiled.hasDryRun && input['DryRun'] === true;
    let output: OperationOutput;
    try {
      if (isDry) await operation.dryRun?.(input, context);
      else output = await operation.perform(input, context);
    } catch (error) {
      throw withBackingFailure(error, context);
    }
    if (isDry) throw new KmsError('DryRunOperationException', 'The request would have succeeded, but the DryRun option is set.');
    if (compiled.isUse) noteUse(operation.name, context);
    return attestation === undefined ? output : sealedForRecipient(operation, output, attestation, this.#parts);
  }

  #reported(error: KmsError, operation: string, caller: Caller): KmsError {
    if (isServiceFailure(error)) {
      this.#parts.log.error({ operation, requestId: caller.requestId, code: error.code, err: error.cause }, 'operation failed');
    }
    return error;
  }
}

function compile(operation: Operation): CompiledOperation {
  const input = apiOperations.get(operation.name)?.input;
  if ((input?.['Recipient'] !== undefined) !== (operation.forRecipient !== undefined)) {
    throw new RangeError(`${operation.name} and the API do not agree on whether it has a Recipient`);
  }
  const namesKeys = operation.keys.length > 0 || operation.keysFromInput !== undefined;
  return {
    operation,
    decode: inputDecoder(operation.name),
    aliasMembers: operation.keys.filter(({ aliasAllowed }) => aliasAllowed).map(({ member }) => member),
    checkState: namesKeys ? keyStateCheck(operation.name) : undefined,
    hasDryRun: input?.['DryRun'] !== undefined,
    hasGrantTokens: input?.['GrantTokens'] !== undefined,
    isUse: keyLastUsageOperation.values.includes(operation.name),
  };
}

/** A token that names no grant is refused even where it is not needed. */
function assertGrantTokens(input: OperationInput, { scope, parts }: OperationContext): void {
  const tokens = input['GrantTokens'] as readonly string[] | undefined;
  if (tokens !== undefined) for (const token of tokens) grantOfToken(token, scope, parts.store);
}

/** The keys of the request, authorised, and in a state and of a usage that the operation takes. */
function addCheckedKeys(keys: Keys, compiled: CompiledOperation, input: OperationInput, context: OperationContext): void {
  const { operation, hasGrantTokens } = compiled;
  addNamedKeys(keys, operation, input, context);
  addKeysFromInput(keys, operation, input, context);
  if (hasGrantTokens) assertGrantTokens(input, context);
  for (const name in keys) {
    const resolved = keys[name] as ResolvedKey;
    const record = keyNow(resolved.record, context.parts);
    const key = (keys[name] = record === resolved.record ? resolved : { ...resolved, record });
    assertPermittedByManager(key.record, actionOn(operation, name), context.caller.principalArn);
    checkKey(key, compiled);
  }
}

function addNamedKeys(keys: Keys, operation: Operation, input: OperationInput, context: OperationContext): void {
  for (const reference of operation.keys) {
    const text = input[reference.member];
    // The API table refuses a required member that is absent; an optional key may be absent.
    if (text === undefined) continue;
    const action = actionOn(operation, reference.as);
    const lookup = { store: context.parts.store, caller: context.caller, scope: context.scope, action };
    keys[reference.as] = resolveKey(text as string, reference, lookup);
  }
}

/** A key that only the ciphertext names is denied in words of its own, which do not tell whether it exists. */
function addKeysFromInput(keys: Keys, operation: Operation, input: OperationInput, context: OperationContext): void {
  const found = operation.keysFromInput?.(input, context);
  for (const name in found) {
    const key = found[name] as ResolvedKey;
    if (!isAuthorised(context.caller, key.record)) throw ciphertextKeyDenied();
    keys[name] = key;
  }
}

function noteUse(operation: string, { keys, caller, parts }: OperationContext): void {
  const nowMs = parts.clock.nowMs();
  for (const name in keys) parts.lastUses.note((keys[name] as ResolvedKey).record, operation, caller.requestId, nowMs);
}

function checkKey({ record }: ResolvedKey, { operation, checkState }: CompiledOperation): void {
  checkState?.(record);
  if (operation.usage !== undefined && record.keyUsage !== operation.usage) {
    throw new KmsError(
      'InvalidKeyUsageException',
      `${keyArn(record)} key usage is ${record.keyUsage} which is not valid for ${operation.name}.`,
    );
  }
}

function actionOn(operation: Operation, keyName: string): string {
  return typeof operation.action === 'string' ? operation.action : (operation.action[keyName] ?? operation.name);
}
