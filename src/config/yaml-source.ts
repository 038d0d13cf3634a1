/**
 * One YAML file with its line numbers: read, parsed, judged by a schema, and every complaint given with file and line.
 * Knows nothing of what the file means.
 */
import { type Document, LineCounter, type Node, type Pair, isMap, isNode, isScalar, parseDocument } from 'yaml';
import type { z } from 'zod';

const fileBytesMax = 1_048_576;
const problemsShownMax = 20;

/** One thing that is wrong, and where. */
export interface ConfigProblem {
  readonly file: string;
  /** From 1; undefined when the whole file or a command-line flag is meant. */
  readonly line: number | undefined;
  readonly message: string;
}

/** The configuration is refused. The message lists every problem, one a line, as `file:line: what, and what is allowed`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    super(problems.slice(0, problemsShownMax).map(problemText).join('\n'));
    this.problems = problems;
  }
}

/** A ConfigError with one problem. */
export function configError(file: string, message: string, line?: number): ConfigError {
  return new ConfigError([{ file, line, message }]);
}

/** A parsed file that can still say on which line a value stands. */
export interface YamlSource {
  readonly file: string;
  /** Plain JavaScript values. An empty file is an empty map. */
  readonly value: unknown;
  /** Line of the value at `path`, or of the nearest thing around it. */
  lineOf(path: readonly PropertyKey[]): number | undefined;
}

/** Parses YAML 1.2 text. Throws ConfigError for syntax errors, duplicate keys and files over 1 MiB. */
export function parseYamlSource(file: string, text: string): YamlSource {
  if (Buffer.byteLength(text) > fileBytesMax) throw configError(file, `the file is larger than ${fileBytesMax} bytes`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw new ConfigError(document.errors.map((error) => ({ file, line: lines.linePos(error.pos[0]).line, message: error.message })));
  }
  return {
    file,
    value: (document.toJS() as unknown) ?? {},
    lineOf: (path) => {
      const offset = offsetOf(document, path);
      return offset === undefined ? undefined : lines.linePos(offset).line;
    },
  };
}

/** Applies `schema` to the file. Throws ConfigError with every problem it finds. */
export function validateSource<T>(source: YamlSource, schema: z.ZodType<T>): T {
  const result = schema.safeParse(source.value);
  if (result.success) return result.data;
  throw new ConfigError(result.error.issues.map((issue) => problemOf(source, issue)));
}

function problemOf(source: YamlSource, issue: z.core.$ZodIssue): ConfigProblem {
  const [unknownKey] = issue.code === 'unrecognized_keys' ? issue.keys : [];
  const path = unknownKey === undefined ? issue.path : [...issue.path, unknownKey];
  const where = issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
  return { file: source.file, line: source.lineOf(path), message: `${where}${issue.message}` };
}

function problemText(problem: ConfigProblem): string {
  return `${problem.file}${problem.line === undefined ? '' : `:${problem.line}`}: ${problem.message}`;
}

/** Offset of the key or item at `path`; the walk stops at the last step that exists. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  let offset = startOf(document.contents);
  let node: unknown = document.contents;
  for (const step of path) {
    const pair = isMap(node) ? node.items.find((item) => keyText(item) === String(step)) : undefined;
    const next: unknown =
      pair === undefined ? (isNode(node) && 'get' in node && !isMap(node) ? node.get(step, true) : undefined) : pair.value;
    const found = startOf(pair?.key) ?? startOf(next);
    if (found === undefined) break;
    offset = found;
    node = next;
  }
  return offset;
}

function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : '';
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined;
}
