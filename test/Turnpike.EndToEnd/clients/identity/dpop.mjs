// An access token made by jose, bound to a key, and a proof of that key by the package dpop. STOLEN leaves the proof out.
import { readFileSync } from 'node:fs';
import * as DPoP from 'dpop';
import { SignJWT, calculateJwkThumbprint, exportJWK, importJWK } from 'jose';
import { report } from '../report.mjs';

const jwk = JSON.parse(readFileSync(new URL('agent.json', import.meta.url)));
const pair = await DPoP.generateKeyPair('ES256');
const token = await new SignJWT({ scope: 'status:read', cnf: { jkt: await calculateJwkThumbprint(await exportJWK(pair.publicKey)) } })
  .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: await calculateJwkThumbprint(jwk) })
  .setIssuer('https://login.test').setSubject('robot').setAudience('https://api.test').setIssuedAt().setExpirationTime('5m')
  .sign(await importJWK(jwk, 'EdDSA'));

await report(async (fetch, url, init) => process.env.STOLEN
  ? fetch(url, { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } })
  : fetch(url, { ...init, headers: { ...init.headers, Authorization: `DPoP ${token}`, DPoP: await DPoP.generateProof(pair, url, init.method, undefined, token) } }));
