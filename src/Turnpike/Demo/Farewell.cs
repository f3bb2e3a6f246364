namespace Turnpike.Demo;

/// <summary>What the demo leaves on the screen while it serves on: addresses, and commands to paste, with a token that works.</summary>
internal static class Farewell
{
    public static async Task TellAsync(DemoWorld world, Narrator narrator, CancellationToken ct)
    {
        var url = world.Gateway.Url.GetLeftPart(UriPartial.Authority);
        var token = await Walk.BuyAsync(world, "1.00 USD", ct);
        narrator.Line();
        narrator.Say("It keeps serving. Ctrl-C ends it and forgets everything.");
        narrator.Fact("callers", url);
        narrator.Fact("operators", $"{world.Gateway.Admin.GetLeftPart(UriPartial.Authority)} with the key {world.Gateway.AdminKey}");
        narrator.Fact("checkout", $"{url}/buy/forecast (TEST MONEY)");
        if (world.Chain is { } chain) narrator.Fact("chain", $"{chain.Rpc.GetLeftPart(UriPartial.Authority)}, id {LocalChain.ChainId}; the key of {TestAccounts.Payer.Address} is the public test key {TestAccounts.Payer.Key}");
        narrator.Line();
        narrator.Say("Paste the terms, a paid call, what is left, another token, and the owner's books:");
        narrator.Paste($"curl -i {url}/forecast/berlin");
        narrator.Paste($"curl -i -H 'Authorization: Bearer {token}' {url}/forecast/berlin");
        narrator.Paste($"curl -s -H 'Authorization: Bearer {token}' {url}/balance");
        narrator.Paste($"curl -s -H 'Content-Type: application/json' -d '{{\"budget\":\"0.05 USD\"}}' {url}/buy/forecast");
        narrator.Paste($"curl -s -H 'Authorization: Bearer {world.Gateway.AdminKey}' {world.Gateway.Admin.GetLeftPart(UriPartial.Authority)}/admin/v1/ledger");
    }
}
