using Microsoft.Extensions.Logging;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;

namespace Turnpike.Tests.Catalog;

/// <summary>A sound edit is swapped in whole; a bad one changes nothing and is told.</summary>
public sealed class CatalogSourceTests : IDisposable
{
    private readonly string path = Path.GetTempFileName();
    private readonly HandTurnedTime time = new();
    private readonly Lines log = new();
    private string secret = "hush-token-secret-of-more-than-32-bytes";

    private CatalogSource Source() => new(Language.Loader, new ConfigEnvironment(Documents.Variables.GetValueOrDefault, _ => secret), path, time, log);

    private static string Selling(string price, string gateway = "") =>
        $"gateway: {{ {gateway} }}\npayments: {{ prepaid: {{ secret: \"${{file:token}}\" }} }}\nservices: {{ s: {{ upstream: \"http://x\", operations: {{ o: {{ match: GET /o, price: {price} }} }} }} }}\n";

    [Fact]
    public void A_sound_edit_replaces_the_catalog_and_is_told_once()
    {
        using var source = Opened(Selling("0.01 USD"));
        var before = source.Current;
        var told = new List<(ServiceCatalog, ServiceCatalog)>();
        source.Changed += (old, now) => told.Add((old, now));

        File.WriteAllText(path, Selling("0.02 USD"));
        source.Reload().ShouldNotBeNull().Errors.ShouldBeEmpty();
        source.Reload().ShouldBeNull();

        source.Current.ShouldNotBeSameAs(before);
        source.Current.Operations["o"].Settings.Get<Turnpike.Pricing.PriceModel>()!.ToString().ShouldContain("0.02 USD");
        told.ShouldBe([(before, source.Current)]);
    }

    [Fact]
    public void A_bad_edit_changes_nothing_and_is_told_once_with_all_errors()
    {
        using var source = Opened(Selling("0.01 USD"));
        var before = source.Current;
        var refused = new List<ConfigResult>();
        source.Refused += refused.Add;

        File.WriteAllText(path, Selling("nothing") + "limitz: {}\n");
        source.Reload();
        source.Reload().ShouldBeNull();

        source.Current.ShouldBeSameAs(before);
        refused.ShouldHaveSingleItem().Errors.Count.ShouldBe(2);
        log.ShouldHaveSingleItem().ShouldSatisfyAllConditions(l => l.ShouldContain("'nothing' is no price"), l => l.ShouldContain("limitz: unknown key"));

        File.WriteAllText(path, Selling("0.03 USD"));
        source.Reload().ShouldNotBeNull().Catalog.ShouldBeSameAs(source.Current);
    }

    [Theory]
    [InlineData("listen: \"http://127.0.0.1:9999\"", "t:1:20: gateway.listen: 'listen' cannot change while the gateway runs; it needs a restart")]
    [InlineData("admin: \"http://127.0.0.1:9999\"", "t:1:19: gateway.admin: 'admin' cannot change while the gateway runs; it needs a restart")]
    [InlineData("store: \"sqlite:other.db\"", "t:1:19: gateway.store: 'store' cannot change while the gateway runs; it needs a restart")]
    public void What_needs_a_restart_is_refused_at_run_time(string gateway, string line)
    {
        using var source = Opened(Selling("0.01 USD"));
        File.WriteAllText(path, Selling("0.02 USD", gateway));
        source.Reload().ShouldNotBeNull().Errors.ShouldHaveSingleItem().In("t").ShouldBe(line);
    }

    [Fact]
    public void What_was_moved_away_is_no_edit()
    {
        using var source = Opened(Selling("0.01 USD"));
        File.Delete(path);
        source.Reload().ShouldBeNull();
        source.Current.Operations.ShouldContainKey("o");
    }

    [Fact]
    public void A_rotated_secret_file_is_an_edit()
    {
        using var source = Opened(Selling("0.01 USD"));
        secret = "hush-rotated-secret-of-more-than-32-bytes";
        source.Reload().ShouldNotBeNull();
        source.Current.Settings.Get<Turnpike.Payments.PaymentSettings>()!.Prepaid!.Secrets[0].Reveal().ShouldBe(secret);
    }

    [Fact]
    public void A_first_document_with_errors_opens_nothing()
    {
        File.WriteAllText(path, "nonsense");
        using var source = Source();
        source.Open().Errors.ShouldNotBeEmpty();
        Should.Throw<InvalidOperationException>(() => source.Current);
    }

    [Fact]
    public async Task An_edit_is_taken_when_two_looks_find_it_the_same_and_a_failing_follower_does_not_end_the_watch()
    {
        using var source = Opened(Selling("0.01 USD"));
        var first = source.Current;
        await source.StartAsync(TestContext.Current.CancellationToken);
        source.Changed += (_, _) => throw new InvalidOperationException("follower");
        File.WriteAllText(path, Selling("0.02 USD"));
        time.Tick();
        source.Current.ShouldBeSameAs(first, "an editor may not be done yet");
        time.Tick();
        var second = source.Current;
        second.ShouldNotBeSameAs(first);
        File.WriteAllText(path, Selling("0.03 USD"));
        time.Tick();
        time.Tick();
        source.Current.ShouldNotBeSameAs(second);
        time.Period.ShouldBeLessThanOrEqualTo(TimeSpan.FromMilliseconds(250), "two looks, and what happens is in force within a second");
        await source.StopAsync(TestContext.Current.CancellationToken);
    }

    public void Dispose() => File.Delete(path);

    private CatalogSource Opened(string text)
    {
        File.WriteAllText(path, text);
        var source = Source();
        source.Open().ErrorLines.ShouldBeEmpty();
        return source;
    }

    /// <summary>A clock whose only timer fires when told to.</summary>
    private sealed class HandTurnedTime : TimeProvider
    {
        private Action? fire;

        public TimeSpan Period { get; private set; }

        public void Tick() => fire!();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            fire = () => callback(state);
            Period = period;
            return new Still();
        }

        private sealed class Still : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }

    private sealed class Lines : List<string>, ILogger<CatalogSource>
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Add(formatter(state, exception));
    }
}
