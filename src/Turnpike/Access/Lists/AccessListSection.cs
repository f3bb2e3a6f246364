using System.Net;
using Turnpike.Access.Asking;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Pricing;

namespace Turnpike.Access.Lists;

/// <summary>The key <c>access</c> of a document, a service and an operation.</summary>
internal static class AccessListSection
{
    private static readonly Shape<string> Name = new ScalarShape<string>("a name", (string t, out string? v) => (v = t).Length is > 0 and <= 200 && t.All(c => c is > ' ' and <= '~') && t != "group:" ? null : "is no name; write at most 200 characters of printable ASCII");
    private static readonly Shape<IPNetwork> Network = new ScalarShape<IPNetwork>("an IP address or network such as 10.0.0.0/8",
        (string t, out IPNetwork v) => IPNetwork.TryParse(t, out v) ? null : IPAddress.TryParse(t, out var one) && (v = new IPNetwork(one, one.GetAddressBytes().Length * 8)).PrefixLength > 0 ? null : "is no IP address or network");

    private static readonly Key<IReadOnlyList<string>> AllowNames = new("allow", new ListShape<string>(Name, least: 1), "These alone.") { Default = "everybody", Example = "[agent-1]" };
    private static readonly Key<IReadOnlyList<string>> DenyNames = new("deny", new ListShape<string>(Name, least: 1), "These not, wherever else they are allowed.") { Default = "nobody", Example = "[agent-2]" };
    private static readonly Shape<NameList> Names = new MapShape<NameList>([AllowNames, DenyNames], m => new NameList(m.Get(AllowNames, []), m.Get(DenyNames, [])));
    private static readonly Key<IReadOnlyList<IPNetwork>> AllowNetworks = new("allow", new ListShape<IPNetwork>(Network, least: 1), "These alone.") { Default = "everywhere", Example = "[10.0.0.0/8]" };
    private static readonly Key<IReadOnlyList<IPNetwork>> DenyNetworks = new("deny", new ListShape<IPNetwork>(Network, least: 1), "These not, wherever else they are allowed.") { Default = "nowhere", Example = "[192.0.2.0/24]" };
    private static readonly Shape<NetworkList> Networks = new MapShape<NetworkList>([AllowNetworks, DenyNetworks], m => new NetworkList(m.Get(AllowNetworks, []), m.Get(DenyNetworks, [])));

    private static readonly Key<NameList> Callers = new("callers", Names, "Callers by name, or group:NAME.") { Default = "everybody", Example = "{ allow: [agent-1, \"group:partners\"] }" };
    private static readonly Key<NameList> Payers = new("payers", Names, "Payers as receipts name them: an account such as eip155:8453:0x…, a wallet 0x… on every chain, token:ID.") { Default = "everybody", Example = "{ deny: [\"0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC\"] }" };
    private static readonly Key<NetworkList> Addresses = new("addresses", Networks, "Where calls come from.") { Default = "everywhere", Example = "{ deny: [192.0.2.0/24] }" };

    private static readonly Key<Uri> Url = new("url", Shapes.Url, "Where it is asked, by POST.") { Required = true, Example = "http://127.0.0.1:9100/decide" };
    private static readonly Key<IReadOnlyList<AskAt>> At = new("at", new ListShape<AskAt>(new ChoiceShape<AskAt>(("access", AskAt.Access), ("price", AskAt.Price), ("settled", AskAt.Settled)), oneAlone: true, least: 1), "When: before any terms, when the price is known, or when the money is there and before the answer leaves (not for prices by use).") { Default = "access", Example = "[access, settled]" };
    private static readonly Key<Secret> Secret = new("secret", new SecretShape(16), "Signs what is asked (webhook-signature, HMAC-SHA256).") { Required = true, Example = "${env:TURNPIKE_TOKEN_SECRET}" };
    private static readonly Key<TimeSpan> Timeout = new("timeout", Shapes.Duration, "How long an answer may take.") { Default = "2s", Example = "2s" };
    private static readonly Key<bool> OnFailure = new("on-failure", new ChoiceShape<bool>(("deny", false), ("allow", true)), "When there is no answer: 503, or go on; the trail says so.") { Default = "deny", Example = "deny" };
    private static readonly Key<Ask> Asked = new("ask", new MapShape<Ask>([Url, At, Secret, Timeout, OnFailure], m => new Ask(m.Get(Url)!, m.Get(At, [AskAt.Access]), m.Get(Secret), m.Get(Timeout, TimeSpan.FromSeconds(2)), m.Get(OnFailure))), "Somebody else who decides, too.") { Default = "nobody", Example = "{ url: \"http://127.0.0.1:9100/decide\", secret: \"${env:TURNPIKE_TOKEN_SECRET}\" }" };

    private static readonly Key<ReputationBounds> Known = ReputationShape.Key("What callers have to have done here, and not done; strangers are asked who they are.");

    private static readonly Key<bool> Verified = new("verified", Shapes.Flag, "Only agents of which an issuer of kya tokens (identity.jwt) says that somebody has verified whom they act for.") { Default = "false", Example = "true" };

    private static readonly Key<bool> Shadow = new("shadow", Shapes.Flag, "Refuse nobody, by these lists or by who is asked; audit what would have been refused.") { Default = "false", Example = "true" };

    private static readonly Shape<AccessLists> Shape = new MapShape<AccessLists>([Callers, Payers, Addresses, Known, Verified, Asked, Shadow], m => new AccessLists(m.Get(Callers) ?? NameList.Everybody, m.Get(Payers) ?? NameList.Everybody, m.Get(Addresses) ?? NetworkList.Everywhere) { Ask = m.Get(Asked), Reputation = m.Get(Known), Verified = m.Get(Verified), Shadow = m.Get(Shadow) });

    public static readonly IReadOnlyList<Section> Sections =
    [
        new Section(Scope.Document, Key("Who may call and pay at all, and who else is asked.")),
        new Section(Scope.Service, Key("Who may call and pay for this service, beside what holds for all.")),
        new Section(Scope.Operation, Key("Who may call and pay for this operation, beside what holds for its service.")) { Check = Check },
    ];

    private static Key<AccessLists> Key(string doc) => new("access", Shape, doc) { Default = "everybody", Example = "{ addresses: { deny: [192.0.2.0/24] } }" };

    private static void Check(Draft draft)
    {
        foreach (var operation in draft.Operations)
        {
            if (operation.Settings.Get<AccessLists>() is not { } lists) continue;
            if (operation.Identity == IdentityRule.Upstream && (lists.Callers != NameList.Everybody || lists.Reputation is not null || lists.Verified)) draft.At(operation, "access").Refuse("asks for callers, but with 'identity: upstream' nobody here knows who calls");
            if (lists.Ask?.At.Contains(AskAt.Settled) == true && operation.Settings.Get<PriceModel>() is PriceModel.Metered) draft.At(operation, "access").Refuse("a price by use is taken when the answer has left, so nobody can be asked between");
        }
    }
}
