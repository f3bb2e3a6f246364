using Turnpike.Storage;

namespace Turnpike.Tests.Simulation;

/// <summary>The disk under a node's books: a batch fails within its commit, or after it when nobody has been told.</summary>
internal sealed class FaultyDisk(World world, Place place) : IWriteParticipant
{
    public void Begin(Sql sql, ReadOnlySpan<WriteCommand> batch, DateTimeOffset now)
    {
    }

    public void End(Sql sql)
    {
        if (world.Scheduler.Chance(world.Weather.SlowDisk)) place.Stall(world.Scheduler.Between(1, 2_000));
        if (world.Scheduler.Chance(world.Weather.Disk)) throw Fails("before");
    }

    public void Committed()
    {
        if (world.Scheduler.Chance(world.Weather.Disk)) throw Fails("after");
    }

    public void RolledBack()
    {
    }

    public void Stopped() => world.Later(world.Scheduler.Between(100, 10_000), $"the owner of {place.Name} sees that its disk failed", () => world.Nodes.Single(n => n.Name == place.Name).Crash(place));

    private StorageException Fails(string when)
    {
        world.Say($"{place.Name}: the disk fails {when} the commit");
        world.DiskFailed = true;
        return new StorageException("The simulated disk failed.", 10);
    }
}
