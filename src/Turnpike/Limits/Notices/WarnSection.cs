using System.Globalization;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;

namespace Turnpike.Limits.Notices;

/// <summary>The <c>warn-at:</c> key.</summary>
internal static class WarnSection
{
    private static readonly Shape<int> Percent = new ScalarShape<int>("a percentage such as 80%",
        (string t, out int v) => int.TryParse(t.TrimEnd('%'), NumberStyles.None, CultureInfo.InvariantCulture, out v) && t == $"{v}%" && v is > 0 and <= 100 ? null : "is no percentage; write a whole number from 1% to 100%", "^(100|[1-9][0-9]?)%$");

    private static readonly Key<WarnSettings> Key = new("warn-at", new ConvertedShape<IReadOnlyList<int>, WarnSettings>(new ListShape<int>(Percent, oneAlone: true, least: 1), at => new WarnSettings([.. at.Distinct().Order()])),
        "How much of a cap, an allowance, a token's budget or a grant may be used before somebody is told: once for each percentage and period, in the audit trail and by 'notify'. 100% is also told when the rest does not cover a call.") { Default = "nobody is told", Example = "[50%, 80%, 100%]" };

    public static readonly Section Section = new(Scope.Document, Key);
}
