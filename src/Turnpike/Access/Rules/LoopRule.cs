using Turnpike.Catalog;

namespace Turnpike.Access.Rules;

/// <summary>A service that calls itself through the gateway, directly or by others, would pay itself to the end of somebody's budget (RFC 9110 §7.6.3).</summary>
internal sealed class LoopRule : IAccessRule
{
    /// <summary>What is added to <c>Via</c> of every forwarded request.</summary>
    public const string Mark = "1.1 turnpike";

    private const int Most = 5;

    public ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct)
    {
        var lines = call.Headers.Via;
        if (lines.Count == 0) return default;
        var seen = 0;
        foreach (var line in lines)
            foreach (var hop in line.AsSpan().Split(','))
                if (line.AsSpan()[hop].Trim().SequenceEqual(Mark)) seen++;
        return seen < Most ? default : new(new Refusal(Reasons.LoopDetected, $"It came through gateways of this kind {seen} times."));
    }
}
