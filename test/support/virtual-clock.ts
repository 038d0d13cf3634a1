/** Moving the time of a daemon that runs with `--clock virtual`. */
import { request } from 'node:http';
import { text } from 'node:stream/consumers';

const headers = {
  'content-type': 'application/x-amz-json-1.1',
  'x-amz-target': 'HsmKms.MoveClock',
  authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=' + '0'.repeat(64),
};

/** Resolves to the daemon's time after the move, when what is due then has been done. Rejects with the daemon's message. */
export async function moveClock(endpoint: string, by: { readonly Days?: number; readonly Seconds?: number }): Promise<Date> {
  const { status, body } = await post(endpoint, JSON.stringify(by));
  const reply = JSON.parse(body) as { Now: number; message?: string };
  if (status !== 200) throw new Error(reply.message ?? `the daemon answered ${status}: ${body}`);
  return new Date(reply.Now * 1_000);
}

/** Not by `fetch`, which marks its requests as those of a web page. */
function post(endpoint: string, content: string): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(endpoint, { method: 'POST', headers }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    });
    sent.on('error', reject);
    sent.end(content);
  });
}
