using Turnpike.Ledger;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Simulation.Wares;

namespace Turnpike.Tests.Simulation.Sweeps;

/// <summary>The one payment of a script: made, waited for, and asked for again.</summary>
internal sealed class ScriptedPayment(World world, Payer payer, Script script)
{
    private static readonly (string, string?) Key = ("Idempotency-Key", "\"once\"");

    public async Task RunAsync()
    {
        var purchase = await ChooseAsync();
        payer.Purchases.Add(purchase);
        if (script.Way.StartsWith("refund", StringComparison.Ordinal))
        {
            await payer.BuyAsync(purchase);
            await RoundsAsync(1);
            script.Counts = true;
            await new Operator(world).RefundAllAsync(script.Way == "refund as credit");
        }
        else
        {
            script.Counts = true;
            await payer.BuyAsync(purchase);
        }
        await RoundsAsync(1);
        script.Counts = false; // what is written from here on is the node's own life
        await RoundsAsync(2);
        if (await world.Checks.OpenAsync() is > 0 and var open) world.Broken($"I5: {open} holds have not ended two rounds after the {script.Way}, whose write {script.Write} met {script.How}");
        if (purchase.Repeatable && await payer.PresentAsync(purchase) is { Status: not 200, Reason: not ("already-delivered" or "credential-used") } told) world.Broken($"the repeat of the {script.Way}, whose write {script.Write} met {script.How}, is told {told}");
    }

    /// <summary>So many whole rounds of the settler's, from when the store can be reached.</summary>
    private async Task RoundsAsync(int many)
    {
        while (world.Scheduler.Ticks < world.Store!.AwayUntil) await world.WaitAsync(TimeSpan.FromMilliseconds(100));
        for (var end = world.Nodes[0].Rounds + many + 1; world.Nodes[0].Rounds < end;) await world.WaitAsync(TimeSpan.FromMilliseconds(100));
    }

    private async Task<Purchase> ChooseAsync()
    {
        var forecast = new Ask("GET", "/forecast/paris");
        var stream = new Ask("POST", "/chat", ("Authorization", payer.Token), ("Content-Type", "application/json")) { Body = """{"model":"m","stream":true,"max_tokens":40,"messages":[]}""" };
        var included = new Ask("GET", "/member", ("apikey", Documents.Variables["AGENT_KEY"]));
        return script.Way switch
        {
            "x402" or "refund as credit" => await SignedAsync(forecast, payer.Wallet.X402),
            "x402 before" => await SignedAsync(new Ask("GET", "/early"), payer.Wallet.X402),
            "mpp.evm" or "refund by evm" => await SignedAsync(forecast, payer.Wallet.MppEvm),
            "mpp.stripe" or "refund by stripe" => await SignedAsync(new Ask("POST", "/reports") { Body = "{}" }, payer.Wallet.Stripe),
            "token" => new Purchase(forecast.With(("Authorization", payer.Token)), script.Way),
            "token with a key" => new Purchase(forecast.With(("Authorization", payer.Token), Key), script.Way) { Repeatable = true },
            "stream" => new Purchase(stream, script.Way),
            "stream with a key" => new Purchase(stream.With(Key), script.Way) { Repeatable = true },
            "plan" => new Purchase(included, script.Way),
            "plan with a key" => new Purchase(included.With(Key), script.Way) { Repeatable = true },
            "sale by x402" => await SignedAsync(new Ask("POST", Shopper.Selling + "1") { Body = "{}" }, payer.Wallet.X402),
            "sale by stripe" => await SignedAsync(new Ask("POST", Shopper.Selling + "2") { Body = "{}" }, payer.Wallet.Stripe),
            _ => throw new ArgumentException(script.Way),
        };
    }

    private async Task<Purchase> SignedAsync(Ask ask, Func<Told, (string, string?)> sign) => new(ask.With(sign((await payer.TermsAsync(ask))!)), script.Way) { Repeatable = true };
}
