// Streams from a model through the gateway with a provider's own client, the prepaid token being its API key. CLIENT=anthropic|gemini; LEAVE=n leaves
// after n events; 0 before the first, once the model at ASKED says that it was asked.
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';

const { CLIENT, TOKEN, URL: gateway, MODEL, LEAVE, ASKED } = process.env;
const base = gateway.replace(/\/$/, '') + (process.env.UNDER ?? '');
const leaving = new AbortController();
const said = { text: '', tools: [], events: 0, stop: null, usage: null, left: false };
const seen = { status: 0, headers: {} };
const realFetch = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const response = await realFetch(input, init);
  seen.status = response.status;
  seen.headers = Object.fromEntries(response.headers);
  return response;
};

async function anthropic() {
  const client = new Anthropic({ apiKey: TOKEN, baseURL: base, maxRetries: 0 });
  const tools = [{ name: 'weather', description: 'The weather.', input_schema: { type: 'object', properties: { location: { type: 'string' } } } }];
  const stream = client.messages.stream({ model: MODEL, max_tokens: 300, tools, messages: [{ role: 'user', content: 'Hello?' }] }, { signal: leaving.signal });
  for await (const event of stream) {
    said.events++;
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') said.text += event.delta.text;
    if (LEAVE && said.events >= Number(LEAVE)) leaving.abort();
  }
  const message = await stream.finalMessage();
  said.tools = message.content.filter((block) => block.type === 'tool_use').map((block) => ({ name: block.name, input: block.input }));
  said.stop = message.stop_reason;
  said.usage = message.usage;
}

async function gemini() {
  const client = new GoogleGenAI({ apiKey: TOKEN, httpOptions: { baseUrl: base } });
  const stream = await client.models.generateContentStream({ model: MODEL, contents: 'Hello?', config: { maxOutputTokens: 300, abortSignal: leaving.signal, tools: [{ functionDeclarations: [{ name: 'weather', description: 'The weather.', parametersJsonSchema: { type: 'object', properties: { location: { type: 'string' } } } }] }] } });
  for await (const chunk of stream) {
    said.events++;
    said.text += chunk.text ?? '';
    for (const call of chunk.functionCalls ?? []) said.tools.push({ name: call.name, input: call.args });
    said.stop = chunk.candidates?.[0]?.finishReason ?? said.stop;
    said.usage = chunk.usageMetadata ?? said.usage;
    if (LEAVE && said.events >= Number(LEAVE)) leaving.abort();
  }
}

const asking = LEAVE === '0' && setInterval(async () => (await (await realFetch(ASKED)).text()) !== '0' && leaving.abort(), 50);
let error = null;
try {
  await (CLIENT === 'gemini' ? gemini() : anthropic());
} catch (failure) {
  said.left = leaving.signal.aborted;
  error = String(failure?.message ?? failure);
}
clearInterval(asking);
console.log(JSON.stringify({ status: seen.status, headers: seen.headers, body: JSON.stringify(said), sent: null, error }));
process.exit(0);
