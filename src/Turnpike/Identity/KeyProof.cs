using Turnpike.Catalog;

namespace Turnpike.Identity;

/// <summary>A key: of the file, or made by us, or made elsewhere and known by its hash.</summary>
internal sealed class KeyProof(CallerDesk desk) : ICallerProof
{
    public string Name => "key";

    public ValueTask<Evidence> ExamineAsync(Call call, Presented presented, CancellationToken ct)
    {
        if (presented.Text is not { } text) return new(Evidence.None);
        // A typing error or a guess at one of ours: said at once, without a look at any table.
        if (!KeyText.IsSound(text)) return new(new Evidence.Invalid(new Refusal(Reasons.UnknownKey, "Its checksum is wrong: a typing error?")));
        var hash = KeyHash.Of(text);
        var named = call.Catalog.Settings.Get<CallerSettings>()?.Find(hash);
        // A key of the file as well: one that was found in public is known here by its hash.
        var found = desk.FindAsync(hash, ct);
        return found.IsCompletedSuccessfully ? new(Judge(call, named, found.Result)) : JudgeAsync(call, named, found);
    }

    private static async ValueTask<Evidence> JudgeAsync(Call call, Principal? named, ValueTask<(ApiKey Key, Principal? Principal)?> found) => Judge(call, named, await found);

    private static Evidence Judge(Call call, Principal? named, (ApiKey Key, Principal? Principal)? found) =>
        named is null ? Judge(call, found) : Judge(found is { Key.Rules.SpendsNothing: true } ? named with { Rules = named.Rules with { SpendsNothing = true } } : named, found?.Key.Revoked, call);

    private static Evidence Judge(Call call, (ApiKey Key, Principal? Principal)? found)
    {
        if (found is not { } known) return Evidence.None;
        // The file may have taken its caller over since it was issued: then the file says who that is.
        var principal = call.Catalog.Settings.Get<CallerSettings>()?.Find(known.Key.Caller) is { } named ? CallerDesk.Of(named, known.Key) : known.Principal;
        return principal is null ? Evidence.None : Judge(principal, known.Key.Revoked, call);
    }

    private static Evidence Judge(Principal principal, DateTimeOffset? revoked, Call call)
    {
        if (revoked is not null) return new Evidence.Invalid(new Refusal(Reasons.KeyRevoked, "It was good once."));
        if (principal.Expires <= call.Now) return new Evidence.Invalid(new Refusal(Reasons.KeyExpired, $"It ended at {principal.Expires:u}."));
        return new Evidence.Verified(principal);
    }
}
