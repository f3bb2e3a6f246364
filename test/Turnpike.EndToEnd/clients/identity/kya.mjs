// A Know Your Agent token made by jose as KYAPay describes it, sent where its clients send it. AUDIENCE is for whom it is.
import { readFileSync } from 'node:fs';
import { SignJWT, calculateJwkThumbprint, importJWK } from 'jose';
import { report } from '../report.mjs';

const jwk = JSON.parse(readFileSync(new URL('agent.json', import.meta.url)));
const token = await new SignJWT({
  env: 'production', ssi: 'service-1', jti: crypto.randomUUID(),
  hid: { email: 'mary@buyer.test', organization_name: 'Buyer GmbH', verified: true },
  apd: { id: 'p1', organization_name: 'Acme Shopping Inc.' },
  aid: { name: 'shopper', source_ips: ['127.0.0.0/8', '::1'] },
})
  .setProtectedHeader({ alg: 'EdDSA', typ: 'kya+jwt', kid: await calculateJwkThumbprint(jwk) })
  .setIssuer('https://know.test').setSubject('buyer-7').setAudience(process.env.AUDIENCE).setIssuedAt().setExpirationTime('5m')
  .sign(await importJWK(jwk, 'EdDSA'));

await report((fetch, url, init) => fetch(url, { ...init, headers: { ...init.headers, 'skyfire-pay-id': token } }));
