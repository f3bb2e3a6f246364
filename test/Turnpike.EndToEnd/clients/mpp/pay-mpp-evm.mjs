// Pays URL with mppx by an EVM authorization (MPP method evm, intent charge) from KEY, on the chain at RPC.
import { Mppx, evm } from 'mppx/client';
import { createClient, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { baseSepolia } from 'viem/chains';
import { report } from '../report.mjs';

const account = privateKeyToAccount(process.env.KEY);
const node = createClient({ account, chain: baseSepolia, transport: http(process.env.RPC) });
const charge = evm.charge({
  account,
  getClient: () => node,
  currencies: ['0x036CbD53842c5426634e7929541eC2318f3dCF7e'],
  authorization: { name: 'USDC', version: '2' },
  networks: [84532],
});
// The client also understands x402's own challenge of the same URL; PROTOCOL=x402 lets it take that one.
const wanted = process.env.PROTOCOL === 'x402';
const orderChallenges = (candidates) => candidates.filter((c) => (c.challenge.request?.scheme === 'exact') === wanted);
await report((fetch, url, init) => Mppx.create({ polyfill: false, fetch, methods: [charge], orderChallenges }).fetch(url, init));
