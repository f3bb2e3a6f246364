using System.Globalization;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;

namespace Turnpike.Pricing;

/// <summary>The <c>rules</c> of a price.</summary>
internal static class RuleSection
{
    private static readonly Shape<string> PercentText = new ScalarShape<string>("a percentage such as 80%, from 0% to 1000%, at most two decimals",
        (string t, out string? v) => Hundredths(v = t) is null ? "is no percentage; write 80% or 112.5%, from 0% to 1000%" : null, @"^[0-9]{1,4}(\.[0-9]{1,2})?%$");

    private static readonly Shape<string> HoursText = new ScalarShape<string>("hours such as 22:00-06:00",
        (string t, out string? v) => ReadHours(v = t) is null ? "is no stretch of a day; write 22:00-06:00" : null, "^[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$");

    private static readonly Shape<DayOfWeek> Day = new ChoiceShape<DayOfWeek>(("mon", DayOfWeek.Monday), ("tue", DayOfWeek.Tuesday), ("wed", DayOfWeek.Wednesday), ("thu", DayOfWeek.Thursday), ("fri", DayOfWeek.Friday), ("sat", DayOfWeek.Saturday), ("sun", DayOfWeek.Sunday));

    private static readonly Shape<TimeZoneInfo> ZoneName = new ScalarShape<TimeZoneInfo>("a time zone such as Europe/Berlin",
        (string t, out TimeZoneInfo? v) => TimeZoneInfo.TryFindSystemTimeZoneById(t, out v) ? null : "is no time zone this machine knows; write one such as Europe/Berlin");

    private static readonly Shape<string> Method = new ScalarShape<string>("a method in capitals such as POST", (string t, out string? v) => (v = t).Length > 0 && t.All(char.IsAsciiLetterUpper) ? null : "is no method; write POST", "^[A-Z]+$");

    private static readonly Shape<string> Word = new ScalarShape<string>("a word in small letters such as priority", (string t, out string? v) => (v = t).Length > 0 && !t.Any(c => char.IsUpper(c) || char.IsWhiteSpace(c)) ? null : "is no word in small letters; write priority", @"^[^A-Z\s]+$");

    private static readonly Key<string> Percent = new("percent", PercentText, "How much of the price is asked then; at 0% the call is free, and what it uses is counted all the same.") { Required = true, Example = "80%" };
    private static readonly Key<string> Hours = new("hours", HoursText, "Holds in these hours; over midnight, they belong to the day they begin on.") { Default = "all day", Example = "22:00-06:00" };
    private static readonly Key<IReadOnlyList<DayOfWeek>> Days = new("days", new ListShape<DayOfWeek>(Day, oneAlone: true, least: 1), "Holds on these days.") { Default = "every day", Example = "[sat, sun]" };
    private static readonly Key<TimeZoneInfo> Zone = new("time-zone", ZoneName, "Whose hours and days these are.") { Default = "UTC", Example = "Europe/Berlin" };
    private static readonly Key<string> PlanName = new("plan", Shapes.Text, "Holds for callers of this plan.") { Default = "all", Example = "enterprise" };
    private static readonly Key<Assurance> Least = new("assurance", new ChoiceShape<Assurance>(("bearer", Assurance.Bearer), ("bound", Assurance.Bound)), "Holds for callers of whom it is known at least so surely who they are.") { Default = "all", Example = "bound" };
    private static readonly Key<ReputationBounds> Known = ReputationShape.Key("Holds for callers of this reputation.");
    private static readonly Key<bool> Verified = new("verified", Shapes.Flag, "Holds for agents of which an issuer of kya tokens (identity.jwt) says that somebody has verified whom they act for; false: for all others.") { Default = "all", Example = "true" };
    private static readonly Key<long> Busy = new("busy", Shapes.Integer(1, 1_000_000), "Holds while at least so many calls of the operation are in progress on the node.") { Default = "always", Example = "100" };

    private static readonly Key<long> RequestBytes = new("request-bytes", Shapes.Integer(1, 8 * 1024 * 1024), "Holds for requests whose body has at least so many bytes.") { Default = "all", Example = "100000" };

    private static readonly Key<IReadOnlyList<string>> Methods = new("method", new ListShape<string>(Method, oneAlone: true, least: 1), "Holds for these methods; GET is HEAD too.") { Default = "all", Example = "[POST]" };
    private static readonly Key<IReadOnlyList<string>> Models = new("model", new ListShape<string>(Shapes.Text, oneAlone: true, least: 1), "Holds for requests for these models, also under a name with a date behind.") { Default = "all", Example = "[o1]" };
    private static readonly Key<IReadOnlyList<string>> ServiceTiers = new("service-tier", new ListShape<string>(Word, oneAlone: true, least: 1), "Holds for requests that ask their provider to be served so (service_tier, performanceConfig, speed, inference_geo). What is dearer at the provider is refused where no such rule holds.") { Default = "all", Example = "[priority]" };

    public static readonly Shape<IReadOnlyList<PriceRule>> Shape = new ListShape<PriceRule>(new MapShape<PriceRule>([Percent, Hours, Days, Zone, PlanName, Least, Known, Verified, Busy, RequestBytes, Methods, Models, ServiceTiers], Build), least: 1);

    private static PriceRule? Build(MapValues m)
    {
        if (new Key[] { Hours, Days, PlanName, Least, Known, Verified, Busy, RequestBytes, Methods, Models, ServiceTiers }.All(key => !m.IsWritten(key))) { m.At.Refuse("a rule needs a condition: hours, days, plan, assurance, reputation, verified, busy, request-bytes, method, model or service-tier"); return null; }
        return new PriceRule(Hundredths(m.Get(Percent)!)!.Value)
        {
            Hours = m.Get(Hours) is { } hours ? ReadHours(hours) : null,
            Days = m.Get(Days, []),
            Zone = m.Get(Zone) ?? TimeZoneInfo.Utc,
            Plan = m.Get(PlanName),
            Assurance = m.IsWritten(Least) ? m.Get(Least) : null,
            Reputation = m.Get(Known),
            Verified = m.IsWritten(Verified) ? m.Get(Verified) : null,
            Busy = m.IsWritten(Busy) ? m.Get(Busy) : null,
            RequestBytes = m.IsWritten(RequestBytes) ? m.Get(RequestBytes) : null,
            Methods = m.Get(Methods, []),
            Models = m.Get(Models, []),
            ServiceTiers = m.Get(ServiceTiers, []),
        };
    }

    private static long? Hundredths(string text) =>
        text.EndsWith('%') && decimal.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent) && percent <= 1000 && decimal.Round(percent, 2) == percent ? (long)(percent * 100) : null;

    private static (TimeOnly, TimeOnly)? ReadHours(string text) =>
        text.Split('-') is [var from, var to] && TimeOnly.TryParseExact(from, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var begin) && TimeOnly.TryParseExact(to == "24:00" ? "00:00" : to, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var end) && begin != end ? (begin, end) : null;
}
