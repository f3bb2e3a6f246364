// A request signed by a wallet with @slicekit/erc8128.
import { createSignerClient } from '@slicekit/erc8128';
import { privateKeyToAccount } from 'viem/accounts';
import { report } from '../report.mjs';

const account = privateKeyToAccount(process.env.KEY);
const signer = { chainId: 8453, address: account.address, signMessage: (message) => account.signMessage({ message: { raw: message } }) };

await report((fetch, url, init) => createSignerClient(signer).fetch(url, init));
