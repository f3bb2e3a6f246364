// Sells GET /forecast/{city} for a cent to PAY_TO, by the reference x402 packages of version VERSION (1 or 2), settling from KEY on
// the chain at RPC. Prints its port.
import { createServer } from 'node:http';
import { createWalletClient, http, publicActions } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { baseSepolia } from 'viem/chains';

const account = privateKeyToAccount(process.env.KEY);
const wallet = createWalletClient({ account, chain: baseSepolia, transport: http(process.env.RPC) }).extend(publicActions);
const answer = (request) => JSON.stringify({ city: request.url.split('/').at(-1), days: [21, 22] });
const sell = process.env.VERSION === '1' ? await older() : await modern();

const server = createServer(async (request, response) => {
  try {
    const { status, headers, body } = await sell(request, `http://${request.headers.host}${request.url}`);
    response.writeHead(status, headers).end(body);
  } catch (error) {
    console.error(error);
    response.writeHead(500).end();
  }
}).listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));

async function modern() {
  const { x402Facilitator } = await import('@x402/core/facilitator');
  const { x402ResourceServer } = await import('@x402/core/server');
  const { x402HTTPResourceServer } = await import('@x402/core/http');
  const { registerExactEvmScheme } = await import('@x402/evm/exact/facilitator');
  const { ExactEvmScheme } = await import('@x402/evm/exact/server');
  const { toFacilitatorEvmSigner } = await import('@x402/evm');
  const facilitator = new x402Facilitator();
  registerExactEvmScheme(facilitator, { signer: toFacilitatorEvmSigner({ ...wallet, address: account.address }), networks: 'eip155:84532' });
  const local = { verify: (p, r) => facilitator.verify(p, r), settle: (p, r) => facilitator.settle(p, r), getSupported: async () => facilitator.getSupported() };
  const resources = new x402ResourceServer(local).register('eip155:*', new ExactEvmScheme());
  await resources.initialize();
  const shop = new x402HTTPResourceServer(resources, { 'GET /forecast/*': { accepts: { scheme: 'exact', network: 'eip155:84532', payTo: process.env.PAY_TO, price: '$0.01' }, description: 'A forecast', mimeType: 'application/json' } });
  return async (request, url) => {
    const header = (name) => request.headers[name.toLowerCase()];
    const adapter = { getHeader: header, getMethod: () => request.method, getPath: () => request.url, getUrl: () => url, getAcceptHeader: () => header('accept') ?? '', getUserAgent: () => header('user-agent') ?? '' };
    const asked = await shop.processHTTPRequest({ adapter, path: request.url, method: request.method });
    if (asked.type !== 'payment-verified') return { status: asked.response.status, headers: asked.response.headers, body: typeof asked.response.body === 'string' ? asked.response.body : JSON.stringify(asked.response.body) };
    const settled = await shop.processSettlement(asked.paymentPayload, asked.paymentRequirements, asked.declaredExtensions);
    return settled.success ? { status: 200, headers: { 'content-type': 'application/json', ...settled.headers }, body: answer(request) } : { status: 402, headers: settled.headers ?? {}, body: '{}' };
  };
}

async function older() {
  const { exact } = await import('x402/schemes');
  const { verify, settle } = await import('x402/facilitator');
  return async (request, url) => {
    const terms = { scheme: 'exact', network: 'base-sepolia', maxAmountRequired: '10000', resource: url, description: 'A forecast', mimeType: 'application/json', payTo: process.env.PAY_TO, maxTimeoutSeconds: 60, asset: '0x036CbD53842c5426634e7929541eC2318f3dCF7e', extra: { name: 'USDC', version: '2' } };
    const refuse = (error) => ({ status: 402, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ x402Version: 1, error, accepts: [terms] }) });
    if (!request.headers['x-payment']) return refuse('X-PAYMENT header is required');
    const payment = exact.evm.decodePayment(request.headers['x-payment']);
    const verified = await verify(wallet, payment, terms);
    if (!verified.isValid) return refuse(verified.invalidReason);
    const settled = await settle(wallet, payment, terms);
    if (!settled.success) return refuse(settled.errorReason);
    return { status: 200, headers: { 'content-type': 'application/json', 'x-payment-response': Buffer.from(JSON.stringify(settled)).toString('base64') }, body: answer(request) };
  };
}
