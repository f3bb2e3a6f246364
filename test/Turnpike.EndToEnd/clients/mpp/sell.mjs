// Sells GET /forecast/{city} for a cent to PAY_TO by mppx's own server, method evm, settling from KEY on the chain at RPC. Prints its port.
import { createServer } from 'node:http';
import { createWalletClient, http, parseAbi, publicActions } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { baseSepolia } from 'viem/chains';
import { Mppx } from 'mppx/server';
import { charge } from 'mppx/evm/server';

const wallet = createWalletClient({ account: privateKeyToAccount(process.env.KEY), chain: baseSepolia, transport: http(process.env.RPC) }).extend(publicActions);
const currency = '0x036CbD53842c5426634e7929541eC2318f3dCF7e';
const abi = parseAbi(['function transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)']);

async function settle({ payload: p }) {
  const hash = await wallet.writeContract({ address: currency, abi, functionName: 'transferWithAuthorization', args: [p.from, p.to, BigInt(p.value), BigInt(p.validAfter), BigInt(p.validBefore), p.nonce, p.signature] });
  const receipt = await wallet.waitForTransactionReceipt({ hash, pollingInterval: 100 });
  if (receipt.status !== 'success') throw new Error('reverted');
  return { reference: hash };
}

const method = charge({ currency, chainId: 84532, decimals: 6, authorization: { name: 'USDC', version: '2' }, recipient: process.env.PAY_TO, settle });
const mppx = Mppx.create({ methods: [method], secretKey: 'a-secret-of-the-seller-of-32-bytes!!', realm: '127.0.0.1' });

const server = createServer(async (request, response) => {
  try {
    const asked = new Request(`http://${request.headers.host}${request.url}`, { method: request.method, headers: request.headers });
    const paid = await mppx.charge({ amount: '0.01' })(asked);
    const told = paid.status === 402 ? paid.challenge : paid.withReceipt(Response.json({ city: request.url.split('/').at(-1), days: [21, 22] }));
    response.writeHead(told.status, Object.fromEntries(told.headers)).end(await told.text());
  } catch (error) {
    console.error(error);
    response.writeHead(500).end();
  }
}).listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
