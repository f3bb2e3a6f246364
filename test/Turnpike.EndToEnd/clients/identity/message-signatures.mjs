// A request signed whole by http-message-signatures (RFC 9421): method, address, query, body and who signs. TAMPERED sends another body.
import { createHash, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSigner, httpbis } from 'http-message-signatures';
import { calculateJwkThumbprint } from 'jose';
import { report } from '../report.mjs';

const jwk = JSON.parse(readFileSync(new URL('agent.json', import.meta.url)));
const key = createSigner(createPrivateKey({ key: jwk, format: 'jwk' }), 'ed25519', await calculateJwkThumbprint(jwk));

await report(async (fetch, url, init) => {
  const body = init.body ?? '';
  const headers = { ...init.headers, 'Signature-Agent': `"${process.env.AGENT}"`, 'Content-Digest': `sha-256=:${createHash('sha256').update(body).digest('base64')}:` };
  const fields = ['@method', '@authority', '@path', '@query', 'content-digest', 'signature-agent'];
  const signed = await httpbis.signMessage({ key, name: 'sig1', fields, params: ['created', 'expires', 'keyid', 'nonce', 'tag'], paramValues: { tag: 'web-bot-auth', nonce: crypto.randomUUID() } }, { method: init.method, url, headers });
  return fetch(url, { ...init, headers: signed.headers, body: process.env.TAMPERED ? body + ' ' : body });
});
