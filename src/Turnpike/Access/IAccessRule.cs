using Turnpike.Catalog;

namespace Turnpike.Access;

/// <summary>One reason to say no; rules run as they are registered, cheapest first. A no never becomes a 402: paying does not change what somebody may do.</summary>
internal interface IAccessRule
{
    /// <summary>Before any price is told. Null: nothing against it.</summary>
    ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct);

    /// <summary>It looks at nothing but what the caller may do, and is asked again where that has changed while a payment was verified.</summary>
    bool IsOfRights => false;
}
