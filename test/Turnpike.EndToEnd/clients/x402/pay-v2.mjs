// Pays URL with @x402/fetch and @x402/evm (x402 version 2) from KEY, on the chain at RPC.
import { wrapFetchWithPayment } from '@x402/fetch';
import { x402Client } from '@x402/core/client';
import { toClientEvmSigner } from '@x402/evm';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { createPublicClient, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { baseSepolia } from 'viem/chains';
import { report } from '../report.mjs';

const rpcUrl = process.env.RPC;
const node = createPublicClient({ chain: baseSepolia, transport: http(rpcUrl) });
const signer = toClientEvmSigner(privateKeyToAccount(process.env.KEY), node);
const client = new x402Client().register('eip155:*', new ExactEvmScheme(signer, { rpcUrl }));
await report((fetch, url, init) => wrapFetchWithPayment(fetch, client)(url, init));
