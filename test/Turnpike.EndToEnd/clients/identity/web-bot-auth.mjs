// A request signed by web-bot-auth, in the form AGENT_FORM says.
import { readFileSync } from 'node:fs';
import { signatureHeaders } from 'web-bot-auth';
import { signerFromJWK } from 'web-bot-auth/crypto';
import { report } from '../report.mjs';

const signer = await signerFromJWK(JSON.parse(readFileSync(new URL('agent.json', import.meta.url))));
const agent = process.env.AGENT_FORM === 'dictionary' ? `sig1="${process.env.AGENT}"` : `"${process.env.AGENT}"`;

await report(async (fetch, url, init) => {
  const request = new Request(url, { ...init, headers: { ...init.headers, 'Signature-Agent': agent } });
  const created = new Date();
  const signed = await signatureHeaders(request, signer, { created, expires: new Date(created.getTime() + 60_000) });
  return fetch(url, { ...init, headers: { ...init.headers, 'Signature-Agent': agent, Signature: signed.Signature, 'Signature-Input': signed['Signature-Input'] } });
});
