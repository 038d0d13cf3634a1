/** What an access key is worth: the types between whoever knows the credentials and whoever verifies signatures with them. */
import type { SecretBytes } from '../secret-bytes.ts';

/** One access key. */
export interface Credential {
  readonly accessKeyId: string;
  readonly secret: SecretBytes;
  /** ARN of the principal that the key belongs to. */
  readonly principalArn: string;
  readonly partition: string;
  readonly account: string;
  /** Set for temporary credentials: the token that every request must carry. */
  readonly sessionToken?: SecretBytes;
}

/** Where access keys are looked up. */
export interface CredentialSource {
  /**
   * The credential of an access key id, or undefined where there is none. Must not throw. A changed secret must come as a new
   * object: signing keys derived from it are cached by identity.
   */
  find(accessKeyId: string): Credential | undefined;
}
