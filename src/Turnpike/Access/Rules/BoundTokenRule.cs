using Turnpike.Catalog;
using Turnpike.Payments;
using Turnpike.Payments.Prepaid;
using Turnpike.Tokens;

namespace Turnpike.Access.Rules;

/// <summary>A token that is bound to a key is looked at before all else: not even what it paid for before is told to whoever merely has its text.</summary>
internal sealed class BoundTokenRule(TokenStore tokens) : IAccessRule
{
    public ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct) => Identity.Presented.Prepaid(call) is { } text && tokens.AnyBound != false ? CheckAsync(call, text, ct) : default;

    private async ValueTask<Answer?> CheckAsync(Call call, string text, CancellationToken ct)
    {
        if (!await tokens.AnyBoundAsync(ct) || call.Catalog.Settings.Get<PaymentSettings>()?.Prepaid?.Text.Read(text).Id is not { } id) return null;
        return await tokens.FindAsync(id, ct) is { } token && !token.MayBePresentedBy(call.SignedBy) ? PrepaidMethod.Unproved : null;
    }
}
