// A request signed by mppx's attestation in the form of Visa's Trusted Agent Protocol: to look around, or to pay (INTENT).
import { readFileSync } from 'node:fs';
import { Client } from 'mppx/attestation';
import * as Tap from 'mppx/attestation/tap';
import { report } from '../report.mjs';

const jwk = JSON.parse(readFileSync(new URL('../identity/agent.json', import.meta.url)));
const key = await crypto.subtle.importKey('jwk', jwk, 'Ed25519', false, ['sign']);
const signer = Tap.Client.signer({ key, keyId: process.env.KEY_ID, intent: process.env.INTENT });

await report((fetch, url, init) => Client.wrapFetch(fetch, signer)(url, init));
