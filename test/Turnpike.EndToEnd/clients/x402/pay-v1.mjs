// Pays URL with x402-fetch (x402 version 1) from KEY, at most MAX millionths of a dollar.
import { wrapFetchWithPayment } from 'x402-fetch';
import { createWalletClient, http, publicActions } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { baseSepolia } from 'viem/chains';
import { report } from '../report.mjs';

const account = privateKeyToAccount(process.env.KEY);
const wallet = createWalletClient({ account, chain: baseSepolia, transport: http(process.env.RPC) }).extend(publicActions);
await report((fetch, url, init) => wrapFetchWithPayment(fetch, wallet, BigInt(process.env.MAX ?? '100000'))(url, init));
