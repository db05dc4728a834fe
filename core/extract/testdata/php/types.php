<?php

namespace App\Tests;

use PHPUnit\Framework\TestCase;
use PHPUnit\Framework\Attributes\Test;

class Base extends TestCase
{
    protected function setUp(): void {}
}

final class BaseTest extends Base
{
    use One, Two {
        One::run insteadof Two;
        Two::run as protected runTwo;
        reset as public;
    }

    public function testAdds(): static
    {
        $this->setUp();
        return $this;
    }

    #[Test]
    public function adds() {}

    /**
     * @test
     */
    public function more() {}

    protected function setUp(): void
    {
        parent::setUp();
        if ($x instanceof Base && $x::KIND === Kind::A->value) {
            Base::setUp();
        }
    }

    public string $hooked {
        get => strtoupper($this->hooked);
        set(string $value) {
            $this->hooked = $value;
        }
    }

    public private(set) ?Base $both;
}

enum Kind
{
    case A;
}

?>
<p class="<?= $both ?>"><?php foreach ($all as $one): ?>
  <?= $one->name() ?>
<?php endforeach; ?>
