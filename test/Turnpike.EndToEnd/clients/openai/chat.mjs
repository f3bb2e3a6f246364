// Asks a model through the gateway with OpenAI's own client. STREAM=1 streams, USAGE=1 asks for the usage of a stream, TOOLS=1 offers a
// tool, RESPONSES=1 takes the Responses API; LEAVE=n leaves after n events; 0 before the first, once the model at
// ASKED says that it was asked.
import OpenAI from 'openai';

const { TOKEN, URL: gateway, MODEL, STREAM, USAGE, MAX, TOOLS, RESPONSES, LEAVE, UNDER, ASKED } = process.env;
const client = new OpenAI({ apiKey: TOKEN, baseURL: new URL(`${UNDER ?? ''}/v1`, gateway).href, maxRetries: 0 });
const leaving = new AbortController();
const said = { text: '', chunks: 0, usage: null, finish: null, tools: [], left: false };
const ask = { model: MODEL ?? 'gpt-4o' };
if (RESPONSES) ask.input = 'Tell me of the sea.';
else ask.messages = [{ role: 'user', content: 'Tell me of the sea.' }];
if (STREAM) ask.stream = true;
if (USAGE) ask.stream_options = { include_usage: true };
if (MAX) ask.max_tokens = Number(MAX);
if (TOOLS) ask.tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: { location: { type: 'string' } } } } }];

function take(chunk) {
  said.chunks++;
  if (RESPONSES) {
    if (chunk.type === 'response.output_text.delta') said.text += chunk.delta;
    if (chunk.response?.usage) said.usage = chunk.response.usage;
    if (chunk.response?.status) said.finish = chunk.response.status;
    return;
  }
  const choice = chunk.choices[0];
  said.text += choice?.delta?.content ?? '';
  said.finish = choice?.finish_reason ?? said.finish;
  for (const call of choice?.delta?.tool_calls ?? []) {
    const tool = (said.tools[call.index] ??= { name: '', arguments: '' });
    tool.name += call.function?.name ?? '';
    tool.arguments += call.function?.arguments ?? '';
  }
  if (chunk.usage) said.usage = chunk.usage;
}

const asking = LEAVE === '0' && setInterval(async () => (await (await fetch(ASKED)).text()) !== '0' && leaving.abort(), 50);
let line;
try {
  const { data, response } = await (RESPONSES ? client.responses : client.chat.completions).create(ask, { signal: leaving.signal }).withResponse();
  line = { status: response.status, headers: Object.fromEntries(response.headers), sent: null, error: null };
  if (STREAM) {
    for await (const chunk of data) {
      take(chunk);
      if (LEAVE && said.chunks >= Number(LEAVE)) leaving.abort();
    }
    said.left = leaving.signal.aborted;
  } else {
    said.text = data.choices[0].message.content;
    said.usage = data.usage;
    said.finish = data.choices[0].finish_reason;
  }
} catch (error) {
  said.left = leaving.signal.aborted;
  line = { ...(line ?? { status: error?.status ?? 0, headers: Object.fromEntries(error?.headers ?? []), sent: null }), error: String(error?.message ?? error) };
}
clearInterval(asking);
console.log(JSON.stringify({ ...line, body: JSON.stringify(said) }));
process.exit(0);
