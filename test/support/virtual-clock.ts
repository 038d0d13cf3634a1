/** Moving the time of a daemon that runs with `--clock virtual`. */

/** Resolves to the daemon's time after the move, when what is due then has been done. Rejects with the daemon's message. */
export async function moveClock(endpoint: string, by: { readonly Days?: number; readonly Seconds?: number }): Promise<Date> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'HsmKms.MoveClock',
      authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: JSON.stringify(by),
  });
  const reply = (await response.json()) as { Now: number; message?: string };
  if (!response.ok) throw new Error(reply.message ?? `the daemon answered ${response.status}`);
  return new Date(reply.Now * 1_000);
}
