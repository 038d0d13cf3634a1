/** A step from one database schema to the next. Forward only: a release is undone by restoring the backup made before it. */
export interface Migration {
  /** 1, 2, 3, ... without gaps. */
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}
