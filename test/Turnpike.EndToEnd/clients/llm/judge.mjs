// What an outside judge reads of recorded answers, and what it says they cost. INPUT names a file: [{ provider, flavor, body }]. A stream
// is put together first, Anthropic's by their own client.
import { readFileSync } from 'node:fs';
import { MessageStream } from '@anthropic-ai/sdk/lib/MessageStream';
import { calcPrice, extractUsage, findProvider } from '@pydantic/genai-prices';

async function whole(provider, body) {
  if (body.startsWith('{')) return JSON.parse(body);
  const events = body.split(/\r?\n/).filter((line) => line.startsWith('data:') && !line.includes('[DONE]')).map((line) => JSON.parse(line.slice(5)));
  if (provider === 'anthropic') {
    const lines = events.filter((event) => event.type !== 'ping').map((event) => JSON.stringify(event)).join('\n');
    return MessageStream.fromReadableStream(new Response(lines).body).finalMessage();
  }
  return events.map((event) => event.response ?? event).findLast((event) => event.usage) ?? events.at(-1);
}

const input = JSON.parse(readFileSync(process.env.INPUT, 'utf8'));
const judged = await Promise.all(input.map(async ({ provider, flavor, body }) => {
  try {
    const { model, usage } = extractUsage(findProvider({ providerId: provider }), await whole(provider, body), flavor);
    return { model, usage, price: calcPrice(usage, model ?? '', { providerId: provider })?.total_price ?? null };
  } catch (failure) {
    return { error: String(failure.message) };
  }
}));
console.log(JSON.stringify({ status: 200, headers: {}, body: JSON.stringify(judged), sent: null, error: null }));
process.exit(0);
