using System.Text.Json;
using Turnpike.Storage;

namespace Turnpike.Billing.Invoices;

/// <summary>Who pays the invoices of each caller, and the customer they are at Stripe.</summary>
internal sealed class CustomerStore(Database database, TimeProvider time)
{
    public ValueTask<(BillingFacts Facts, string? Stripe, string? Account)?> FindAsync(string caller, CancellationToken ct) => database.ReadAsync<(BillingFacts, string?, string?)?>(sql => sql.First<(BillingFacts, string?, string?)?>(
        "select facts, stripe_customer, stripe_account from billing_customers where caller = $1",
        row => (JsonSerializer.Deserialize(row.Text(0), InvoiceJson.Default.BillingFacts)!, row.TextOrNull(1), row.TextOrNull(2)), caller), ct);

    /// <summary>What stands on invoices from now on. Another customer of Stripe's counts at once.</summary>
    public ValueTask PutAsync(string caller, BillingFacts facts, CancellationToken ct) => database.WriteAsync(sql => sql.Run("""
        insert into billing_customers (caller, facts, stripe_customer, stripe_account, changed) values ($1, $2, null, null, $3)
        on conflict (caller) do update set facts = excluded.facts, changed = excluded.changed
        """, caller, JsonSerializer.Serialize(facts, InvoiceJson.Default.BillingFacts), time.GetUtcNow()), ct);

    public ValueTask SetStripeAsync(string caller, string customer, string? account, CancellationToken ct) => database.WriteAsync(sql => sql.Run("""
        insert into billing_customers (caller, facts, stripe_customer, stripe_account, changed) values ($1, '{}', $2, $3, $4)
        on conflict (caller) do update set stripe_customer = excluded.stripe_customer, stripe_account = excluded.stripe_account
        """, caller, customer, account, time.GetUtcNow()), ct);
}
