// Asks a model through the gateway with OpenAI's own client. STREAM=1 streams, USAGE=1 asks for the usage of a stream.
import OpenAI from 'openai';

const client = new OpenAI({ apiKey: process.env.TOKEN, baseURL: new URL('/v1', process.env.URL).href, maxRetries: 0 });
const ask = { model: process.env.MODEL ?? 'gpt-4o', messages: [{ role: 'user', content: 'Tell me of the sea.' }] };
if (process.env.STREAM) ask.stream = true;
if (process.env.USAGE) ask.stream_options = { include_usage: true };
if (process.env.MAX) ask.max_tokens = Number(process.env.MAX);
let line;
try {
  const { data, response } = await client.chat.completions.create(ask).withResponse();
  const said = { text: '', chunks: 0, usage: null, finish: null };
  if (ask.stream) {
    for await (const chunk of data) {
      said.chunks++;
      said.text += chunk.choices[0]?.delta?.content ?? '';
      said.finish = chunk.choices[0]?.finish_reason ?? said.finish;
      if (chunk.usage) said.usage = chunk.usage;
    }
  } else {
    said.text = data.choices[0].message.content;
    said.usage = data.usage;
    said.finish = data.choices[0].finish_reason;
  }
  line = { status: response.status, headers: Object.fromEntries(response.headers), body: JSON.stringify(said), sent: null, error: null };
} catch (error) {
  line = { status: error?.status ?? 0, headers: Object.fromEntries(error?.headers ?? []), body: JSON.stringify(error?.error ?? {}), sent: null, error: String(error?.message ?? error) };
}
console.log(JSON.stringify(line));
process.exit(0);
