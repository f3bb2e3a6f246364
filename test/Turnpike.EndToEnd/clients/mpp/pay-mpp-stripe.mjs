// Pays URL with mppx by a Shared Payment Token (MPP method stripe, intent charge) minted at STRIPE for PAYMENT_METHOD.
import { Mppx, stripe } from 'mppx/client';
import { report } from '../report.mjs';

const paymentMethod = process.env.PAYMENT_METHOD ?? 'pm_card_visa';

async function createToken({ amount, currency, networkId, expiresAt }) {
  const response = await fetch(`${process.env.STRIPE}/v1/test_helpers/shared_payment/granted_tokens`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('sk_test_agent:')}`, 'content-type': 'application/x-www-form-urlencoded', 'stripe-version': '2026-07-29.preview' },
    body: new URLSearchParams({
      payment_method: paymentMethod,
      'usage_limits[currency]': currency,
      'usage_limits[max_amount]': process.env.SPT_LIMIT ?? amount,
      'usage_limits[expires_at]': String(expiresAt),
      'seller_details[network_id]': networkId,
    }),
  });
  if (!response.ok) throw new Error(`Stripe minted no token: ${await response.text()}`);
  return (await response.json()).id;
}

const charge = stripe.charge({ createToken, paymentMethod });
await report((fetch, url, init) => Mppx.create({ polyfill: false, fetch, methods: [charge] }).fetch(url, init));
