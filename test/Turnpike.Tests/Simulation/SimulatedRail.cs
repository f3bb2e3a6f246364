using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments;

namespace Turnpike.Tests.Simulation;

/// <summary>A real method whose code is sometimes slow, and sometimes throws before or after its effect.</summary>
internal sealed class SimulatedRail(World world, IPaymentMethod real) : IPaymentMethod
{
    public string Name => real.Name;

    public string Protocol => real.Protocol;

    public bool SettlesInBooks => real.SettlesInBooks;

    public bool SettlesBefore => real.SettlesBefore;

    public IReadOnlyList<Offer> Offer(Call call) => real.Offer(call);

    public Answer? Identify(Payment payment) => real.Identify(payment);

    public async ValueTask<Answer?> VerifyAsync(Payment payment, CancellationToken ct)
    {
        await SlowAsync();
        return await real.VerifyAsync(payment, ct);
    }

    public async ValueTask<string?> PrepareAsync(HoldState held, Money amount, CancellationToken ct)
    {
        var prepared = await real.PrepareAsync(held, amount, ct);
        await SlowAsync();
        return prepared;
    }

    public ValueTask<Settlement> SettleAsync(HoldState captured, CancellationToken ct) => SettleAsync(captured, real.SettleAsync, ct);

    public ValueTask<Settlement> SettleFirstAsync(HoldState captured, CancellationToken ct) => SettleAsync(captured, real.SettleFirstAsync, ct);

    private async ValueTask<Settlement> SettleAsync(HoldState captured, Func<HoldState, CancellationToken, ValueTask<Settlement>> settle, CancellationToken ct)
    {
        await SlowAsync();
        if (world.Scheduler.Chance(world.Weather.Rail / 4)) throw new IOException("The rail's code fails before it has done anything.");
        var settled = await settle(captured, ct);
        world.Say($"{Name}: {captured.Hold.Receipt}, {captured.Status}: {settled}");
        await SlowAsync();
        return world.Scheduler.Chance(world.Weather.Rail / 4) ? throw new IOException("The rail's code fails after it has done all.") : settled;
    }

    public string? NetworkOf(Payment payment) => real.NetworkOf(payment);

    public Money? Remaining(Payment payment) => real.Remaining(payment);

    public Refusal TooLittle(HoldResult.InsufficientFunds missing) => real.TooLittle(missing);

    private Task SlowAsync() => world.Scheduler.Chance(world.Weather.Rail)
        ? Task.Delay(world.Scheduler.Between(1, 30_000), ((Place)SynchronizationContext.Current!).Time)
        : Task.CompletedTask;
}
