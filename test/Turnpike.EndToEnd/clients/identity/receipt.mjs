// A receipt as anybody may check it: by jose, with the keys the gateway publishes.
import { compactVerify, createRemoteJWKSet } from 'jose';
import { report } from '../report.mjs';

await report(async (fetch, url, init) => {
  const jws = await (await fetch(`${url}.jws`, init)).text();
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', url));
  const { payload, protectedHeader } = await compactVerify(jws, keys, { algorithms: ['ES256'] });
  return new Response(JSON.stringify({ header: protectedHeader, receipt: JSON.parse(new TextDecoder().decode(payload)) }));
});
