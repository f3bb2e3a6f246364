// What an outside judge reads of recorded answers, and what it says they cost. INPUT names a file: [{ provider, flavor, body }].
import { readFileSync } from 'node:fs';
import { calcPrice, extractUsage, findProvider } from '@pydantic/genai-prices';

const judged = JSON.parse(readFileSync(process.env.INPUT, 'utf8')).map(({ provider, flavor, body }) => {
  const found = findProvider({ providerId: provider });
  const { model, usage } = extractUsage(found, body, flavor);
  const price = calcPrice(usage, model ?? '', { providerId: provider });
  return { model, usage, price: price?.total_price ?? null };
});
console.log(JSON.stringify({ status: 200, headers: {}, body: JSON.stringify(judged), sent: null, error: null }));
process.exit(0);
