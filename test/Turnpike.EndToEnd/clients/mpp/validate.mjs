// Says what mppx's validator of discovery documents has against the one at URL: an empty list is what one hopes for.
import { validate } from 'mppx/discovery';

const response = await fetch(process.env.URL);
const found = validate(await response.json());
console.log(JSON.stringify({ status: response.status, headers: Object.fromEntries(response.headers), body: JSON.stringify(found), sent: null, error: null }));
