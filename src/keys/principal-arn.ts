/** ARNs of principals: which of them can be named in a grant, and whether a caller is the one that is named. */

/** Accounts (as ARN of their root or as 12 digits), users, roles, federated users, assumed-role sessions. */
const PRINCIPAL =
  /^(?:\d{12}|arn:aws[a-z0-9-]*:(?:iam|sts)::\d{12}:(?:root|(?:user|role)\/[\w+=,.@/-]+|federated-user\/[\w+=,.@-]+|assumed-role\/[\w+=,.@-]+\/[\w+=,.@-]+))$/;
const ROLE = /^arn:(aws[a-z0-9-]*):iam::(\d{12}):role\/(?:[\w+=,.@/-]*\/)?([\w+=,.@-]+)$/;
const SESSION = /^arn:(aws[a-z0-9-]*):sts::(\d{12}):assumed-role\/([\w+=,.@-]+)\/[\w+=,.@-]+$/;
const ROOT = /^arn:aws[a-z0-9-]*:iam::(\d{12}):root$/;

/** True for what a grant can name as grantee or retiring principal. Groups and instance profiles are none. */
export function isPrincipalArn(text: string): boolean {
  return PRINCIPAL.test(text);
}

/** An account written as 12 digits becomes the ARN of its root. */
export function fullPrincipalArn(partition: string, principal: string): string {
  return /^\d{12}$/.test(principal) ? accountRootArn(partition, principal) : principal;
}

/** `arn:aws:iam::111122223333:root` */
export function accountRootArn(partition: string, account: string): string {
  return `arn:${partition}:iam::${account}:root`;
}

/** True when `callerArn` is the principal, or a session of the role that the principal is. A session's ARN has no path of its role. */
export function isPrincipal(callerArn: string, principalArn: string): boolean {
  if (callerArn === principalArn) return true;
  const [, ...session] = SESSION.exec(callerArn) ?? [];
  const [, ...role] = ROLE.exec(principalArn) ?? [];
  return session.length > 0 && session.join(':') === role.join(':');
}

/** True for the root of the account itself. */
export function isAccountRoot(callerArn: string, account: string): boolean {
  return ROOT.exec(callerArn)?.[1] === account;
}
