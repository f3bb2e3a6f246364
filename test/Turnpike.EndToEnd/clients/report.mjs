// What every client script prints: one line of JSON with the answer, what was sent to pay for it, or the client's error.
// CAPTURE=1 makes the credential but does not send it, for tests that send it themselves, changed or many times.
const credentials = ['payment-signature', 'x-payment', 'payment-authorization', 'authorization'];

export async function report(pay) {
  let sent = null;
  const spy = async (input, init) => {
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
    const name = credentials.find((n) => headers.has(n) && !headers.get(n).startsWith('Bearer '));
    if (name) sent = { name, value: headers.get(name) };
    if (name && process.env.CAPTURE) return new Response(null, { status: 204 });
    return fetch(input, init);
  };
  let line;
  try {
    const init = { method: process.env.METHOD ?? 'GET', headers: JSON.parse(process.env.HEADERS ?? '{}') };
    if (process.env.BODY) init.body = process.env.BODY;
    const response = await pay(spy, process.env.URL, init);
    line = { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text(), sent, error: null };
  } catch (error) {
    line = { status: 0, headers: {}, body: '', sent, error: String(error?.message ?? error) };
  }
  console.log(JSON.stringify(line));
  process.exit(0);
}
